using NestQuant.RuntimeOps.Kernels.Emission;
using NestQuant.RuntimeOps.Kernels.Tiers.Avx2;
using NestQuant.RuntimeOps.Packing;

namespace NestQuant.RuntimeOps.Kernels.Tiers.Avx512Vnni;

/// <summary>
/// Emits the product of one to four rows with full blocks (8 rows of k, 32 channels) whose weights are never stored: a C function, in the
/// calling convention of System V, <c>void(byte* high, byte* low, nint blocks, byte* rows, int* sums, nint rowStride)</c>; see
/// <see cref="KernelTier.TryMultiplyBlocks"/>.
/// </summary>
/// <remarks>The weights' own sums are those of one more row, of ones.</remarks>
internal static class RowsProductEmitter
{
    /// <summary>The most rows.</summary>
    public const int MaxRows = 4;

    private const int Halves = DotProductEmitter.MaxVectors;
    private const int VectorBytes = 64;

    // From here on the rows' activations, then accumulators: two or four of each row.
    private const int FirstActivations = BlockWeights.FirstFree;
    private const int FirstAccumulator = FirstActivations + MaxRows;

    private const Register High = Register.Rdi;
    private const Register Low = Register.Rsi;
    private const Register Blocks = Register.Rdx;
    private const Register Rows = Register.Rcx;
    private const Register Sums = Register.R8;
    private const Register RowStride = Register.R9;
    private const Register LastRow = Register.Rax;

    /// <summary>Emits one product.</summary>
    /// <param name="bits">The pair n:h.</param>
    /// <param name="isPart">Whether the low operand is left out.</param>
    /// <param name="rows">1 to 4.</param>
    /// <param name="hasWeightSums">Whether the weights are summed, too.</param>
    /// <returns>Code that stores the sums of x * w, <c>[row][channel 32]</c>, and behind them those of w.</returns>
    public static byte[] Emit(NestedBits bits, bool isPart, int rows, bool hasWeightSums)
    {
        List<byte[]> constants = [];
        _ = Emit(bits, isPart, rows, hasWeightSums, constants);
        return Emit(bits, isPart, rows, hasWeightSums, constants);
    }

    private static byte[] Emit(NestedBits bits, bool isPart, int rows, bool hasWeightSums, List<byte[]> constants)
    {
        Assembler code = new();
        BlockWeights weights = new(code, bits, isPart, High, Low, constants);
        int products = rows + (hasWeightSums ? 1 : 0);

        // The few accumulators of one row would wait for each other if both groups of a block were added to the same ones.
        int sets = products <= 2 ? 2 : 1;
        for (int sum = FirstAccumulator; sum < FirstAccumulator + products * sets * Halves; sum++)
            code.Xor(new Zmm(sum), new Zmm(sum), new Zmm(sum));
        if (rows == MaxRows)
        {
            code.LoadAddress(LastRow, new MemoryOperand(Rows) { Index = RowStride, Scale = 2 });
            code.LoadAddress(LastRow, new MemoryOperand(LastRow) { Index = RowStride });
        }

        Label block = new();
        code.Bind(block);
        weights.Load();
        for (int vector = 0; vector < BlockWeights.Vectors; vector++)
        {
            int group = vector / Halves;
            for (int row = 0; row < rows && vector % Halves == 0; row++)
                code.BroadcastInt32(new Zmm(FirstActivations + row), Activations(row, group));
            weights.Decode(vector);
            for (int product = 0; product < products; product++)
            {
                Zmm activations = product == rows ? weights.Constant(1) : new Zmm(FirstActivations + product);
                code.DotProduct(Accumulator(product, group % sets, vector % Halves, sets), activations, BlockWeights.Weights);
            }
        }

        weights.Advance();
        code.Add(Rows, NestedLayout.BlockRows);
        if (rows == MaxRows)
            code.Add(LastRow, NestedLayout.BlockRows);
        code.Subtract(Blocks, 1);
        code.Jump(Condition.NotZero, block);
        Store(code, products, sets);
        code.ZeroUpper();
        code.Return();
        return code.ToCode();
    }

    /// <summary>Four activations of a row; an index cannot be three times the distance of rows.</summary>
    private static MemoryOperand Activations(int row, int group) => row switch
    {
        0 => new MemoryOperand(Rows, group * sizeof(int)),
        MaxRows - 1 => new MemoryOperand(LastRow, group * sizeof(int)),
        _ => new MemoryOperand(Rows, group * sizeof(int)) { Index = RowStride, Scale = row },
    };

    private static void Store(Assembler code, int products, int sets)
    {
        for (int product = 0; product < products; product++)
        {
            for (int half = 0; half < Halves; half++)
            {
                Zmm sum = Accumulator(product, 0, half, sets);
                for (int set = 1; set < sets; set++)
                    code.AddInt32(sum, sum, Accumulator(product, set, half, sets));
                code.Store(new MemoryOperand(Sums, (product * Halves + half) * VectorBytes), sum);
            }
        }
    }

    private static Zmm Accumulator(int product, int set, int half, int sets) =>
        new(FirstAccumulator + (product * sets + set) * Halves + half);
}
