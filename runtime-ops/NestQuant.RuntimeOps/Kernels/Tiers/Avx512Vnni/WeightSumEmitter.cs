using NestQuant.RuntimeOps.Kernels.Emission;
using NestQuant.RuntimeOps.Kernels.Tiers.Avx2;

namespace NestQuant.RuntimeOps.Kernels.Tiers.Avx512Vnni;

/// <summary>
/// Emits the sums of a panel's weights per channel: a C function, in the calling convention of System V,
/// <c>void(sbyte* panel, nint groups, int* sums, byte* ones)</c>, where ones are four bytes of 1, which vpdpbusd multiplies with four
/// weights.
/// </summary>
internal static class WeightSumEmitter
{
    private const int VectorBytes = 64;

    private const Register Panel = Register.Rdi;
    private const Register Groups = Register.Rsi;
    private const Register Sums = Register.Rdx;
    private const Register Ones = Register.Rcx;

    private static readonly Zmm OneBytes = new(4);

    /// <summary>Emits the function.</summary>
    public static byte[] Emit()
    {
        Assembler code = new();
        Label group = new();
        code.BroadcastInt32(OneBytes, new MemoryOperand(Ones));
        for (int vector = 0; vector < DotProductEmitter.MaxVectors; vector++)
            code.Xor(new Zmm(vector), new Zmm(vector), new Zmm(vector));
        code.Bind(group);
        for (int vector = 0; vector < DotProductEmitter.MaxVectors; vector++)
        {
            Zmm weights = new(DotProductEmitter.MaxVectors + vector);
            code.Load(weights, new MemoryOperand(Panel, vector * VectorBytes));
            code.DotProduct(new Zmm(vector), OneBytes, weights);
        }

        code.Add(Panel, DotProductEmitter.MaxVectors * VectorBytes);
        code.Subtract(Groups, 1);
        code.Jump(Condition.NotZero, group);
        for (int vector = 0; vector < DotProductEmitter.MaxVectors; vector++)
            code.Store(new MemoryOperand(Sums, vector * VectorBytes), new Zmm(vector));
        code.ZeroUpper();
        code.Return();
        return code.ToCode();
    }
}
