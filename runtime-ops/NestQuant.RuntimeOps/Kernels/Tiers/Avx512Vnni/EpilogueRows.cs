using NestQuant.RuntimeOps.Kernels.Emission;
using NestQuant.RuntimeOps.Kernels.Tiers.Avx2;

namespace NestQuant.RuntimeOps.Kernels.Tiers.Avx512Vnni;

/// <summary>
/// Emits the epilogue of one or two rows whose accumulators are complete and whose quantized results fit in 32 bits before clamping. It
/// equals <see cref="PanelEpilogue.Write"/> bit for bit.
/// </summary>
/// <param name="code">Receives the code.</param>
/// <param name="form">What the epilogue has to do.</param>
/// <param name="registers">The registers that the code uses.</param>
internal sealed class EpilogueRows(Assembler code, EpilogueForm form, EpilogueRegisters registers)
{
    /// <summary>The most rows at a time.</summary>
    public const int MaxRows = 2;

    private const int Vectors = DotProductEmitter.MaxVectors;
    private const int VectorChannels = DotProductEmitter.VectorChannels;
    private const int VectorBytes = 64;
    private const int RowBytes = KernelTier.TileChannels * sizeof(int);

    private static readonly byte[] PackedOrder = CreatePackedOrder();

    /// <summary>Loads the fields of the arguments, and the factors if there are registers for them.</summary>
    public void Begin()
    {
        code.Load(registers.Tile, Field(EpilogueArguments.TileAt));
        code.Load(registers.Output, Field(EpilogueArguments.OutputAt));
        code.Load(registers.OutputStride, Field(EpilogueArguments.OutputStrideAt));
        code.Load(registers.Rows, Field(EpilogueArguments.RowsAt));
        code.Load(registers.Factors, Field(EpilogueArguments.FactorsAt));
        if (form is { IsMasked: true, IsQuantized: true })
            code.Load32(Mask(0), Field(EpilogueArguments.ChannelsAt));
        for (int vector = 0; vector < Vectors && form is { IsMasked: true, IsQuantized: false }; vector++)
            code.Load16(Mask(vector), Field(EpilogueArguments.ChannelsAt + vector * sizeof(ushort)));
        if (registers.FirstConstant is not { } first)
            return;
        for (int vector = 0; vector < Vectors; vector++)
        {
            code.Load(new Zmm(first + vector), Scale(vector));
            code.Load(new Zmm(first + Vectors + vector), Bias(vector));
        }

        if (form.HasZeroPoint)
            code.BroadcastInt32(new Zmm(first + 4), Field(EpilogueArguments.ZeroPointAt));
        if (form.IsClamped)
        {
            code.BroadcastInt32(new Zmm(first + 5), Field(EpilogueArguments.LeastAt));
            code.BroadcastInt32(new Zmm(first + 6), Field(EpilogueArguments.GreatestAt));
        }

        if (form.IsQuantized)
            code.LoadConstant(new Zmm(first + 7), PackedOrder);
    }

    /// <summary>Writes all rows that are left.</summary>
    public void WriteAll()
    {
        Label step = new();
        Label single = new();
        Label done = new();
        code.Subtract(registers.Rows, MaxRows);
        code.Jump(Condition.Less, single);
        code.Bind(step);
        Write(MaxRows);
        code.Subtract(registers.Rows, MaxRows);
        code.Jump(Condition.GreaterOrEqual, step);
        code.Bind(single);
        code.Add(registers.Rows, MaxRows);
        code.Jump(Condition.Zero, done);
        Write(1);
        code.Bind(done);
    }

    /// <summary>Writes one or two rows and advances to the next.</summary>
    public void Write(int rows)
    {
        for (int i = 0; i < rows * Vectors; i++)
        {
            Zmm result = Result(i);
            int vector = i % Vectors;
            code.Load(result, new MemoryOperand(registers.Tile, i * VectorBytes));
            code.ConvertToSingle(result, result);
            if (registers.FirstConstant is { } first)
            {
                code.MultiplySingle(result, result, new Zmm(first + vector));
                code.AddSingle(result, result, new Zmm(first + Vectors + vector));
            }
            else
            {
                code.MultiplySingle(result, result, Scale(vector));
                code.AddSingle(result, result, Bias(vector));
            }
        }

        if (form.IsQuantized)
            StoreQuantized(rows);
        else
            StoreFloats(rows);
        code.Add(registers.Tile, rows * RowBytes);
    }

    private static MaskRegister Mask(int vector) => new(vector + 1);

    private Zmm Result(int number) => new(registers.FirstResult + number);

    private MemoryOperand Field(int offset) => new(registers.Arguments, offset);

    private MemoryOperand Scale(int vector) => new(registers.Factors, EmittedStrips.ScaleAt + vector * VectorBytes);

    private MemoryOperand Bias(int vector) => new(registers.Factors, EmittedStrips.BiasAt + vector * VectorBytes);

    private void StoreFloats(int rows)
    {
        for (int row = 0; row < rows; row++)
        {
            for (int vector = 0; vector < Vectors; vector++)
            {
                MemoryOperand target = new(registers.Output, vector * VectorChannels * sizeof(float));
                Zmm result = Result(row * Vectors + vector);
                if (form.IsMasked)
                    code.Store(target, Mask(vector), result);
                else
                    code.Store(target, result);
            }

            NextOutput(rows: 1);
        }
    }

    /// <summary>
    /// Results fit in 32 bits. Packing saturates them to 16 bits and, with the zero point added, to bytes, so that the bounds are those of
    /// bytes. Registers whose results are packed are free for constants.
    /// </summary>
    private void StoreQuantized(int rows)
    {
        Zmm packed = Result(0), last = Result((rows - 1) * Vectors), spare = Result(1);
        for (int i = 0; i < rows * Vectors; i++)
            code.ConvertToInt32(Result(i), Result(i));
        for (int row = 0; row < rows; row++)
            code.PackInt32(Result(row * Vectors), Result(row * Vectors), Result(row * Vectors + 1));
        if (form.HasZeroPoint)
        {
            Zmm zeroPoint = Broadcast(4, EpilogueArguments.ZeroPointAt, spare);
            for (int row = 0; row < rows; row++)
                code.AddInt16(Result(row * Vectors), Result(row * Vectors), zeroPoint);
        }

        code.PackInt16(packed, packed, last);
        Zmm order = registers.FirstConstant is { } first ? new Zmm(first + 7) : spare;
        if (order == spare)
            code.LoadConstant(order, PackedOrder);
        code.PermuteInt32(packed, order, packed);
        if (form.IsClamped)
        {
            code.MaxUInt8(packed, packed, Broadcast(5, EpilogueArguments.LeastAt, spare));
            code.MinUInt8(packed, packed, Broadcast(6, EpilogueArguments.GreatestAt, spare));
        }

        StoreBytes(rows, packed);
        NextOutput(rows);
    }

    /// <summary>The register of a constant; the spare one if none is kept.</summary>
    private Zmm Broadcast(int constant, int field, Zmm spare)
    {
        if (registers.FirstConstant is { } first)
            return new Zmm(first + constant);
        code.BroadcastInt32(spare, Field(field));
        return spare;
    }

    /// <summary>Stores the halves of a register as rows; masked stores of bytes are slow on some processors.</summary>
    private void StoreBytes(int rows, Zmm packed)
    {
        MemoryOperand first = new(registers.Output), second = new(registers.Output) { Index = registers.OutputStride };
        if (form.IsMasked)
            code.StoreHalf(first, Mask(0), packed);
        else
            code.StoreHalf(first, packed);
        if (rows == 1)
            return;
        if (!form.IsMasked)
        {
            code.ExtractHigh(second, packed);
            return;
        }

        code.ExtractHigh(packed, packed);
        code.StoreHalf(second, Mask(0), packed);
    }

    private void NextOutput(int rows) =>
        code.LoadAddress(registers.Output, new MemoryOperand(registers.Output) { Index = registers.OutputStride, Scale = rows });

    /// <summary>
    /// Packing works within 128 bits, so that each 128 bits have four channels of each half of the first row, then of the second: the
    /// positions of the groups of four channels, in order.
    /// </summary>
    private static byte[] CreatePackedOrder()
    {
        int[] order = new int[16];
        for (int i = 0; i < order.Length; i++)
            order[i] = i % 4 * 4 + i / 4;
        return [.. order.SelectMany(BitConverter.GetBytes)];
    }
}
