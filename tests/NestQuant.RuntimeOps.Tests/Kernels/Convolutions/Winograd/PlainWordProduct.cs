using NestQuant.RuntimeOps.Kernels.Tiers;

namespace NestQuant.RuntimeOps.Tests.Kernels.Convolutions.Winograd;

/// <summary>
/// The plainest product of transformed tiles, with strips as wide as those of AVX-512: what drives its code is tested on any processor.
/// </summary>
internal sealed unsafe class PlainWordProduct : WinogradProduct
{
    public override int StripChannels => KernelTier.TileChannels;

    public override int SpareRows => 0;

    public override int LeastPartTiles => 8;

    public override bool Pays(in WinogradShape shape) => true;

    public override void Multiply(short* rows, nint rowStride, int rowCount, short* strip, int pairs, int* accumulators, bool adds)
    {
        Assert.InRange(rowCount, 1, int.MaxValue);
        for (int row = 0; row < rowCount; row++)
        {
            for (int channel = 0; channel < StripChannels; channel++)
            {
                int* sum = accumulators + row * TileDistance + channel;
                if (!adds)
                    *sum = 0;
                for (int k = 0; k < 2 * pairs; k++)
                    *sum = unchecked(*sum + rows[row * rowStride + k] * strip[(k / 2 * StripChannels + channel) * 2 + k % 2]);
            }
        }
    }
}
