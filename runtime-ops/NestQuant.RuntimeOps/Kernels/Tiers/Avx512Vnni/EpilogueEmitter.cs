using NestQuant.RuntimeOps.Kernels.Emission;

namespace NestQuant.RuntimeOps.Kernels.Tiers.Avx512Vnni;

/// <summary>
/// Emits the epilogue of a tile whose accumulators are complete and whose quantized results fit in 32 bits before clamping: a C function,
/// in the calling convention of System V, <c>void(EpilogueArguments*)</c>. It equals <see cref="PanelEpilogue.Write"/> bit for bit.
/// </summary>
internal static class EpilogueEmitter
{
    private const int Vectors = DotProductEmitter.MaxVectors;
    private const int VectorChannels = DotProductEmitter.VectorChannels;
    private const int RowBytes = KernelTier.TileChannels * sizeof(int);

    private const Register Arguments = Register.Rdi;
    private const Register Tile = Register.Rsi;
    private const Register Rows = Register.Rdx;
    private const Register Factors = Register.Rcx;
    private const Register Output = Register.R8;
    private const Register OutputStride = Register.R9;

    // Zmm0 to 3 hold the results of two rows' halves.
    private const int RowsPerStep = 2;
    private const int FirstScale = 16;
    private const int FirstBias = 18;
    private static readonly Zmm ZeroPoint = new(20);
    private static readonly Zmm Least = new(21);
    private static readonly Zmm Greatest = new(22);
    private static readonly Zmm Order = new(23);

    /// <summary>Emits the epilogue.</summary>
    /// <param name="form">What it has to do.</param>
    public static byte[] Emit(EpilogueForm form)
    {
        Assembler code = new();
        code.Load(Tile, Field(EpilogueArguments.TileAt));
        code.Load(Rows, Field(EpilogueArguments.RowsAt));
        code.Load(Output, Field(EpilogueArguments.OutputAt));
        code.Load(OutputStride, Field(EpilogueArguments.OutputStrideAt));
        LoadFactors(code, FirstScale, EpilogueArguments.ScaleAt);
        LoadFactors(code, FirstBias, EpilogueArguments.BiasAt);
        LoadMasks(code, form);
        if (form.HasZeroPoint)
            code.BroadcastInt32(ZeroPoint, Field(EpilogueArguments.ZeroPointAt));
        if (form.IsClamped)
        {
            code.BroadcastInt32(Least, Field(EpilogueArguments.LeastAt));
            code.BroadcastInt32(Greatest, Field(EpilogueArguments.GreatestAt));
        }

        if (form.IsQuantized)
            code.LoadConstant(Order, PackedOrder());
        Label step = new();
        Label single = new();
        Label done = new();
        code.Subtract(Rows, RowsPerStep);
        code.Jump(Condition.Less, single);
        code.Bind(step);
        Write(code, RowsPerStep, form);
        code.Subtract(Rows, RowsPerStep);
        code.Jump(Condition.GreaterOrEqual, step);
        code.Bind(single);
        code.Add(Rows, RowsPerStep);
        code.Jump(Condition.Zero, done);
        Write(code, 1, form);
        code.Bind(done);
        code.ZeroUpper();
        code.Return();
        return code.ToCode();
    }

    /// <summary>Writes one or two rows and advances to the next.</summary>
    private static void Write(Assembler code, int rows, EpilogueForm form)
    {
        for (int i = 0; i < rows * Vectors; i++)
        {
            Zmm result = new(i);
            code.Load(result, new MemoryOperand(Tile, i * VectorChannels * sizeof(int)));
            code.ConvertToSingle(result, result);
            code.MultiplySingle(result, result, new Zmm(FirstScale + i % Vectors));
            code.AddSingle(result, result, new Zmm(FirstBias + i % Vectors));
        }

        if (form.IsQuantized)
            StoreQuantized(code, rows, form);
        else
            StoreFloats(code, rows, form.IsMasked);
        code.Add(Tile, rows * RowBytes);
    }

    private static void StoreFloats(Assembler code, int rows, bool isMasked)
    {
        for (int row = 0; row < rows; row++)
        {
            for (int vector = 0; vector < Vectors; vector++)
            {
                MemoryOperand target = new(Output, vector * VectorChannels * sizeof(float));
                Zmm result = new(row * Vectors + vector);
                if (isMasked)
                    code.Store(target, Mask(vector), result);
                else
                    code.Store(target, result);
            }

            NextOutput(code, rows: 1);
        }
    }

    /// <summary>
    /// Results fit in 32 bits. Packing saturates them to 16 bits and, with the zero point added, to bytes, so that the bounds are those of
    /// bytes.
    /// </summary>
    private static void StoreQuantized(Assembler code, int rows, EpilogueForm form)
    {
        Zmm packed = new(0);
        for (int i = 0; i < rows * Vectors; i++)
            code.ConvertToInt32(new Zmm(i), new Zmm(i));
        for (int row = 0; row < rows; row++)
        {
            Zmm words = new(row * Vectors);
            code.PackInt32(words, words, new Zmm(row * Vectors + 1));
            if (form.HasZeroPoint)
                code.AddInt16(words, words, ZeroPoint);
        }

        code.PackInt16(packed, packed, new Zmm((rows - 1) * Vectors));
        code.PermuteInt32(packed, Order, packed);
        if (form.IsClamped)
        {
            code.MaxUInt8(packed, packed, Least);
            code.MinUInt8(packed, packed, Greatest);
        }

        StoreBytes(code, rows, form.IsMasked, packed);
        NextOutput(code, rows);
    }

    /// <summary>Stores the halves of a register as rows; masked stores of bytes are slow on some processors.</summary>
    private static void StoreBytes(Assembler code, int rows, bool isMasked, Zmm packed)
    {
        MemoryOperand first = new(Output), second = new(Output) { Index = OutputStride };
        if (isMasked)
            code.StoreHalf(first, Mask(0), packed);
        else
            code.StoreHalf(first, packed);
        if (rows == 1)
            return;
        if (!isMasked)
        {
            code.ExtractHigh(second, packed);
            return;
        }

        code.ExtractHigh(packed, packed);
        code.StoreHalf(second, Mask(0), packed);
    }

    private static void LoadMasks(Assembler code, EpilogueForm form)
    {
        if (!form.IsMasked)
            return;
        if (form.IsQuantized)
            code.Load32(Mask(0), Field(EpilogueArguments.ChannelsAt));
        for (int vector = 0; vector < Vectors && !form.IsQuantized; vector++)
            code.Load16(Mask(vector), Field(EpilogueArguments.ChannelsAt + vector * sizeof(ushort)));
    }

    private static void NextOutput(Assembler code, int rows) =>
        code.LoadAddress(Output, new MemoryOperand(Output) { Index = OutputStride, Scale = rows });

    /// <summary>
    /// Packing works within 128 bits, so that each 128 bits have four channels of each half of the first row, then of the second: the
    /// positions of the groups of four channels, in order.
    /// </summary>
    private static byte[] PackedOrder()
    {
        int[] order = new int[16];
        for (int i = 0; i < order.Length; i++)
            order[i] = i % 4 * 4 + i / 4;
        return [.. order.SelectMany(BitConverter.GetBytes)];
    }

    private static void LoadFactors(Assembler code, int first, int pointer)
    {
        code.Load(Factors, Field(pointer));
        for (int vector = 0; vector < Vectors; vector++)
            code.Load(new Zmm(first + vector), new MemoryOperand(Factors, vector * VectorChannels * sizeof(float)));
    }

    private static MaskRegister Mask(int vector) => new(vector + 1);

    private static MemoryOperand Field(int offset) => new(Arguments, offset);
}
