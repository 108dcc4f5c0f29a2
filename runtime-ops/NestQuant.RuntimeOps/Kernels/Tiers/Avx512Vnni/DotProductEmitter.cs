using NestQuant.RuntimeOps.Kernels.Emission;
using NestQuant.RuntimeOps.Kernels.Tiers.Avx2;

namespace NestQuant.RuntimeOps.Kernels.Tiers.Avx512Vnni;

/// <summary>
/// Emits the integer product of a few rows of activations with a panel: a C function, in the calling convention of System V,
/// <c>void(TileArguments*)</c>.
/// </summary>
/// <remarks>
/// Chunk after chunk, each group of 4 bytes of k loads 16 channels per weight register and broadcasts 4 bytes of each row; vpdpbusd or
/// vpdpwssd multiplies and adds. Accumulators wrap modulo 2^32 and never saturate. All registers used are caller-saved.
/// </remarks>
internal static class DotProductEmitter
{
    /// <summary>Rows of the largest kernel: with two weight registers, 24 of 32 registers are accumulators.</summary>
    public const int MaxRows = 12;

    /// <summary>Channels of one weight register.</summary>
    public const int VectorChannels = 16;

    /// <summary>Weight registers of the widest kernel: a whole panel.</summary>
    public const int MaxVectors = KernelTier.TileChannels / VectorChannels;

    private const int VectorBytes = 64;
    private const int GroupBytes = 4;
    private const int PanelGroupBytes = KernelTier.TileChannels * GroupBytes;
    private const int Unroll = 4;

    internal const Register Arguments = Register.Rdi;
    internal const Register RowStride = Register.Rsi;
    internal const Register Panel = Register.Rdx;
    internal const Register Groups = Register.Rcx;
    internal const Register Chunk = Register.R8;
    internal const Register Tile = Register.R9;

    private const int FirstWeight = 24;
    internal const int FirstActivation = 26;
    private const int Activations = 6;

    // One pointer addresses three rows, with no index and with the stride once and twice, so only every third row has a pointer.
    private const int RowsPerPointer = 3;
    private static readonly Register[] RowPointers = [Register.R9, Register.R10, Register.R11, Register.Rax];

    /// <summary>Emits one kernel.</summary>
    /// <param name="rows">1 to <see cref="MaxRows"/>.</param>
    /// <param name="vectors">1 for 16 channels from those that the panel points to, 2 for 32.</param>
    /// <param name="form">What is multiplied, and where accumulators start.</param>
    /// <returns>Code that stores <c>tile[row][channel]</c>, rows as far apart as the form says, for just these rows and channels.</returns>
    public static byte[] Emit(int rows, int vectors, DotProductForm form = DotProductForm.Bytes)
    {
        Assembler code = new();
        int sets = AccumulatorSets(rows * vectors);
        Start(code, rows, vectors, sets, form);
        code.Load(RowStride, new MemoryOperand(Arguments, TileArguments.RowStrideAt));
        code.Load(Panel, new MemoryOperand(Arguments, TileArguments.PanelAt));
        code.Load(Chunk, new MemoryOperand(Arguments, TileArguments.ChunksAt));

        Label chunk = new();
        Label unrolled = new();
        Label rest = new();
        Label single = new();
        Label done = new();
        code.Bind(chunk);
        PointAtRows(code, rows);
        code.Load(Groups, new MemoryOperand(Arguments, TileArguments.ChunkGroupsAt));
        code.Subtract(Groups, Unroll);
        code.Jump(Condition.Less, rest);
        code.Bind(unrolled);
        for (int group = 0; group < Unroll; group++)
            MultiplyGroup(code, rows, vectors, group, group % sets, form);
        Advance(code, rows, Unroll);
        code.Subtract(Groups, Unroll);
        code.Jump(Condition.GreaterOrEqual, unrolled);

        code.Bind(rest);
        code.Add(Groups, Unroll);
        code.Jump(Condition.Zero, done);
        code.Bind(single);
        MultiplyGroup(code, rows, vectors, group: 0, set: 0, form);
        Advance(code, rows, groups: 1);
        code.Subtract(Groups, 1);
        code.Jump(Condition.NotZero, single);

        code.Bind(done);
        code.Compare(Chunk, new MemoryOperand(Arguments, TileArguments.EndOfChunksAt));
        code.Jump(Condition.NotZero, chunk);
        code.Load(Tile, new MemoryOperand(Arguments, TileArguments.TileAt));
        Store(code, rows, vectors, sets, form);
        code.ZeroUpper();
        code.Return();
        return code.ToCode();
    }

    /// <summary>The first set of accumulators starts as the form says, the others with 0.</summary>
    internal static void Start(Assembler code, int rows, int vectors, int sets, DotProductForm form)
    {
        if (form != DotProductForm.Words)
            code.Load(Tile, new MemoryOperand(Arguments, form == DotProductForm.Bytes ? TileArguments.StartAt : TileArguments.TileAt));
        for (int sum = 0; sum < sets * rows * vectors; sum++)
        {
            (int row, int vector) = Math.DivRem(sum, vectors);
            if (row >= rows || form == DotProductForm.Words)
                code.Xor(new Zmm(sum), new Zmm(sum), new Zmm(sum));
            else if (form == DotProductForm.Bytes)
                code.Load(new Zmm(sum), new MemoryOperand(Tile, vector * VectorBytes));
            else
                code.Load(new Zmm(sum), Sums(row, vector, form));
        }
    }

    /// <summary>Points at the next chunk of the rows.</summary>
    internal static void PointAtRows(Assembler code, int rows)
    {
        code.Load(RowPointers[0], new MemoryOperand(Chunk));
        code.Add(Chunk, sizeof(long));
        code.Add(RowPointers[0], new MemoryOperand(Arguments, TileArguments.RowsAt));
        for (int pointer = 1; pointer * RowsPerPointer < rows; pointer++)
        {
            code.LoadAddress(RowPointers[pointer], new MemoryOperand(RowPointers[pointer - 1]) { Index = RowStride, Scale = 2 });
            code.LoadAddress(RowPointers[pointer], new MemoryOperand(RowPointers[pointer]) { Index = RowStride });
        }
    }

    /// <summary>
    /// Number of accumulator sets, so that neighbouring groups need not wait for each other: vpdpbusd takes 4 to 5 cycles, and up to two
    /// start per cycle.
    /// </summary>
    private static int AccumulatorSets(int accumulators) => accumulators switch
    {
        < 5 => 4,
        < 10 => 2,
        _ => 1,
    };

    /// <summary>Multiplies a group of 4 rows of k, or of a pair of words.</summary>
    internal static void MultiplyGroup(
        Assembler code, int rows, int vectors, int group, int set, DotProductForm form, int activationRegisters = Activations)
    {
        for (int vector = 0; vector < vectors; vector++)
            code.Load(new Zmm(FirstWeight + vector), new MemoryOperand(Panel, group * PanelGroupBytes + vector * VectorBytes));
        for (int row = 0; row < rows; row++)
        {
            Zmm activations = new(FirstActivation + row % activationRegisters);
            int strides = row % RowsPerPointer;
            code.BroadcastInt32(activations, new MemoryOperand(RowPointers[row / RowsPerPointer], group * GroupBytes)
            {
                Index = strides == 0 ? null : RowStride,
                Scale = strides == 0 ? 1 : strides,
            });
            for (int vector = 0; vector < vectors; vector++)
            {
                Zmm sum = Accumulator(set, row, vector, rows, vectors), weights = new(FirstWeight + vector);
                if (form == DotProductForm.Bytes)
                    code.DotProduct(sum, activations, weights);
                else
                    code.DotProductInt16(sum, activations, weights);
            }
        }
    }

    /// <summary>Points behind groups of the chunk.</summary>
    internal static void Advance(Assembler code, int rows, int groups)
    {
        code.Add(Panel, groups * PanelGroupBytes);
        for (int pointer = 0; pointer * RowsPerPointer < rows; pointer++)
            code.Add(RowPointers[pointer], groups * GroupBytes);
    }

    /// <summary>Stores the accumulators.</summary>
    internal static void Store(Assembler code, int rows, int vectors, int sets, DotProductForm form)
    {
        for (int row = 0; row < rows; row++)
        {
            for (int vector = 0; vector < vectors; vector++)
            {
                Zmm sum = Accumulator(0, row, vector, rows, vectors);
                for (int set = 1; set < sets; set++)
                    code.AddInt32(sum, sum, Accumulator(set, row, vector, rows, vectors));
                code.Store(Sums(row, vector, form), sum);
            }
        }
    }

    /// <summary>Where the accumulators of a row and a vector are stored.</summary>
    private static MemoryOperand Sums(int row, int vector, DotProductForm form)
    {
        int distance = form == DotProductForm.Bytes ? KernelTier.TileChannels : WinogradProduct.TileDistance;
        return new MemoryOperand(Tile, (row * distance + vector * VectorChannels) * sizeof(int));
    }

    private static Zmm Accumulator(int set, int row, int vector, int rows, int vectors) => new((set * rows + row) * vectors + vector);
}
