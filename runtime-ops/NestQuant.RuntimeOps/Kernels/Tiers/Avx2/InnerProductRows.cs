using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using X86Avx2 = System.Runtime.Intrinsics.X86.Avx2;

namespace NestQuant.RuntimeOps.Kernels.Tiers.Avx2;

/// <summary>
/// x - zero point as 16-bit integers, followed by what <see cref="InnerProduct"/> subtracts for the row: an int32, minus the sum of
/// x0 * x2 + x1 * x3 over the row's groups of 4 values.
/// </summary>
internal sealed unsafe class InnerProductRows : RowFormat
{
    /// <inheritdoc/>
    public override int ValueBytes => sizeof(short);

    /// <inheritdoc/>
    public override bool IsCentered => true;

    /// <inheritdoc/>
    public override int RowBytes(int values) => values * sizeof(short) + sizeof(int);

    /// <inheritdoc/>
    [MethodImpl(MethodCompilation.Loops)]
    public override void Convert(byte* x, int values, int zeroPoint, byte* row)
    {
        // In bounds: vectors of 16 and 4 values end at values. In place, the values of a step are written over activations that have been
        // read: they end at 2 * i + 32 at most where the next step's activations begin at values + i + 16, and i + 16 <= values.
        short* centered = (short*)row;
        Vector256<short> zero = Vector256.Create((short)zeroPoint);
        Vector256<int> sums = default;
        int i = 0;
        for (; i <= values - Vector256<short>.Count; i += Vector256<short>.Count)
        {
            Vector256<short> v = X86Avx2.ConvertToVector256Int16(x + i) - zero;
            v.Store(centered + i);
            sums += X86Avx2.MultiplyAddAdjacent(v, (v.AsUInt64() >>> 32).AsInt16());
        }

        Vector128<int> sum = sums.GetLower() + sums.GetUpper();
        for (; i < values; i += 4)
        {
            Vector128<short> v = Sse41.ConvertToVector128Int16(Vector128.CreateScalarUnsafe(*(int*)(x + i)).AsByte()) - zero.GetLower();
            *(long*)(centered + i) = v.AsInt64().ToScalar();
            sum += Sse2.MultiplyAddAdjacent(Vector128.CreateScalar(v.AsInt64().ToScalar()).AsInt16(), (v.AsUInt64() >>> 32).AsInt16());
        }

        *(int*)(centered + values) = -Vector128.Sum(sum);
    }
}
