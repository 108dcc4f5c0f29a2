using NestQuant.RuntimeOps.Kernels.Avx2;
using NestQuant.RuntimeOps.Kernels.Strips;

namespace NestQuant.RuntimeOps.Kernels.Avx512Vnni;

/// <summary>512-bit products of bytes by code emitted at run time, for processors with AVX512-VNNI; the rest is AVX2's.</summary>
/// <param name="kernels">The emitted code.</param>
internal sealed unsafe class Avx512VnniTier(EmittedDotProduct kernels) : X64Tier
{
    private readonly EmittedDotProduct _kernels = kernels;

    /// <inheritdoc/>
    public override string Name => TierNames.Avx512Vnni;

    /// <inheritdoc/>
    public override RowFormat Rows => RowFormat.Bytes;

    /// <inheritdoc/>
    public override int TileRows => DotProductEmitter.MaxRows;

    /// <inheritdoc/>
    public override StripKernel? Strips => EmittedStrips.Instance;

    /// <inheritdoc/>
    public override void Dot(byte* rows, nint rowStride, int rowCount, sbyte* panel, int groups, int firstChannel, int endChannel, int* tile) =>
        _kernels.Multiply(rows, rowStride, rowCount, panel, groups, firstChannel, endChannel, tile);
}
