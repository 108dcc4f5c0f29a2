using NestQuant.RuntimeOps.Kernels.Emission;
using NestQuant.RuntimeOps.Kernels.Tiers.Avx2;

namespace NestQuant.RuntimeOps.Kernels.Tiers.Avx512Vnni;

/// <summary>
/// Emits the integer product of a few rows with 32 channels (<see cref="DotProductEmitter"/>) together with the epilogue of another tile,
/// whose accumulators are complete: a C function, in the calling convention of System V, <c>void(TileArguments*, EpilogueArguments*)</c>.
/// </summary>
/// <remarks>
/// With each group of 4 rows of k two rows of the other tile are stored, until it has none. One after the other would take longer:
/// processors do not look far enough ahead to begin the second before the first is nearly done.
/// </remarks>
internal static class StoringProductEmitter
{
    /// <summary>The fewest rows: fewer have more than one set of accumulators.</summary>
    public const int LeastRows = 5;

    private const int Vectors = DotProductEmitter.MaxVectors;

    // The product's registers of activations, but for two, are those of results.
    private const int Activations = 2;

    private const Register Stored = Register.Rsi;
    private static readonly EpilogueRegisters Registers = new(
        Arguments: Register.Rbx,
        Tile: Register.R12,
        Rows: Register.R15,
        Factors: Register.Rbp,
        Output: Register.R13,
        OutputStride: Register.R14,
        FirstResult: DotProductEmitter.FirstActivation + Activations,
        FirstConstant: null);

    // What a function must leave as it was; the pointer to where it is saved is restored last.
    private static readonly Register[] SavedRegisters =
        [Register.Rbp, Register.R12, Register.R13, Register.R14, Register.R15, Register.Rbx];

    /// <summary>Emits one kernel.</summary>
    /// <param name="rows"><see cref="LeastRows"/> to <see cref="DotProductEmitter.MaxRows"/>.</param>
    /// <param name="form">What the other tile's epilogue has to do.</param>
    public static byte[] Emit(int rows, EpilogueForm form)
    {
        Assembler code = new();
        for (int i = 0; i < SavedRegisters.Length; i++)
            code.Store(new MemoryOperand(Stored, EpilogueArguments.SavedAt + i * sizeof(long)), SavedRegisters[i]);
        code.LoadAddress(Registers.Arguments, new MemoryOperand(Stored));
        EpilogueRows stores = new(code, form, Registers);
        stores.Begin();
        Multiply(code, rows, stores);
        stores.WriteAll();
        for (int i = 0; i < SavedRegisters.Length; i++)
            code.Load(SavedRegisters[i], new MemoryOperand(Registers.Arguments, EpilogueArguments.SavedAt + i * sizeof(long)));
        code.ZeroUpper();
        code.Return();
        return code.ToCode();
    }

    private static void Multiply(Assembler code, int rows, EpilogueRows stores)
    {
        Label chunk = new();
        Label both = new();
        Label allStored = new();
        Label single = new();
        Label done = new();
        DotProductEmitter.Start(code, rows, Vectors, sets: 1, DotProductForm.Bytes);
        code.Load(DotProductEmitter.RowStride, new MemoryOperand(DotProductEmitter.Arguments, TileArguments.RowStrideAt));
        code.Load(DotProductEmitter.Panel, new MemoryOperand(DotProductEmitter.Arguments, TileArguments.PanelAt));
        code.Load(DotProductEmitter.Chunk, new MemoryOperand(DotProductEmitter.Arguments, TileArguments.ChunksAt));

        code.Bind(chunk);
        DotProductEmitter.PointAtRows(code, rows);
        code.Load(DotProductEmitter.Groups, new MemoryOperand(DotProductEmitter.Arguments, TileArguments.ChunkGroupsAt));
        code.Bind(both);
        code.Subtract(Registers.Rows, EpilogueRows.MaxRows);
        code.Jump(Condition.Less, allStored);
        DotProductEmitter.MultiplyGroup(code, rows, Vectors, group: 0, set: 0, DotProductForm.Bytes, Activations);
        stores.Write(EpilogueRows.MaxRows);
        DotProductEmitter.Advance(code, rows, groups: 1);
        code.Subtract(DotProductEmitter.Groups, 1);
        code.Jump(Condition.NotZero, both);
        code.Jump(Condition.Zero, done);

        code.Bind(allStored);
        code.Add(Registers.Rows, EpilogueRows.MaxRows);
        code.Bind(single);
        DotProductEmitter.MultiplyGroup(code, rows, Vectors, group: 0, set: 0, DotProductForm.Bytes, Activations);
        DotProductEmitter.Advance(code, rows, groups: 1);
        code.Subtract(DotProductEmitter.Groups, 1);
        code.Jump(Condition.NotZero, single);

        code.Bind(done);
        code.Compare(DotProductEmitter.Chunk, new MemoryOperand(DotProductEmitter.Arguments, TileArguments.EndOfChunksAt));
        code.Jump(Condition.NotZero, chunk);
        code.Load(DotProductEmitter.Tile, new MemoryOperand(DotProductEmitter.Arguments, TileArguments.TileAt));
        DotProductEmitter.Store(code, rows, Vectors, sets: 1, DotProductForm.Bytes);
    }
}
