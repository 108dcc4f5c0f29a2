using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using X86Avx2 = System.Runtime.Intrinsics.X86.Avx2;

namespace NestQuant.RuntimeOps.Kernels.Avx2;

/// <summary><see cref="CenteredRows"/>, 16 activations at a time.</summary>
internal sealed unsafe class Avx2CenteredRows : CenteredRows
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void Copy(byte* x, int count, int zeroPoint, byte* row)
    {
        // In bounds: whole vectors end at or before count, in both arrays.
        short* centered = (short*)row;
        Vector256<short> zero = Vector256.Create((short)zeroPoint);
        int i = 0;
        for (; i <= count - Vector256<short>.Count; i += Vector256<short>.Count)
            (X86Avx2.ConvertToVector256Int16(x + i) - zero).Store(centered + i);
        if (i <= count - Vector128<short>.Count)
        {
            (Sse41.ConvertToVector128Int16(x + i) - zero.GetLower()).Store(centered + i);
            i += Vector128<short>.Count;
        }

        for (; i < count; i++)
            centered[i] = (short)(x[i] - zeroPoint);
    }
}
