using NestQuant.RuntimeOps.Kernels.Emission;
using NestQuant.RuntimeOps.Kernels.Tiers.Avx2;
using NestQuant.RuntimeOps.Packing;

namespace NestQuant.RuntimeOps.Kernels.Tiers.Avx512Vnni;

/// <summary>
/// Emits the decoder of full blocks (8 rows of k, 32 channels) for one pair of widths: a C function, in the calling convention of System V,
/// <c>void(byte* high, byte* low, nint blocks, sbyte* values)</c>; see <see cref="KernelTier.DecodeBlocks"/>.
/// </summary>
internal static class DecoderEmitter
{
    private const Register High = Register.Rdi;
    private const Register Low = Register.Rsi;
    private const Register Blocks = Register.Rdx;
    private const Register Values = Register.Rcx;

    /// <summary>Emits one decoder.</summary>
    /// <param name="bits">The pair n:h.</param>
    /// <param name="isPart">Whether the low operand is left out.</param>
    public static byte[] Emit(NestedBits bits, bool isPart)
    {
        List<byte[]> constants = [];
        _ = Emit(bits, isPart, constants);
        return Emit(bits, isPart, constants);
    }

    private static byte[] Emit(NestedBits bits, bool isPart, List<byte[]> constants)
    {
        Assembler code = new();
        BlockWeights weights = new(code, bits, isPart, High, Low, constants);
        Label block = new();
        code.Bind(block);
        weights.Load();
        for (int vector = 0; vector < BlockWeights.Vectors; vector++)
        {
            weights.Decode(vector);
            code.Store(
                new MemoryOperand(Values, vector * NestedLayout.BlockValues / BlockWeights.Vectors), BlockWeights.Weights);
        }

        weights.Advance();
        code.Add(Values, NestedLayout.BlockValues);
        code.Subtract(Blocks, 1);
        code.Jump(Condition.NotZero, block);
        code.ZeroUpper();
        code.Return();
        return code.ToCode();
    }
}
