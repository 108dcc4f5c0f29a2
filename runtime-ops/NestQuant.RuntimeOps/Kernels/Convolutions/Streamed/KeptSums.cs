using NestQuant.RuntimeOps.Packing;

namespace NestQuant.RuntimeOps.Kernels.Convolutions.Streamed;

/// <summary>
/// The sums of a layer's weights, one per output channel and level, kept from run to run: a <see cref="StreamedProduct"/> would spend as
/// much time on summing them anew as on a row's products.
/// </summary>
/// <param name="panels">Panels of the layer, whose weights never change.</param>
internal sealed class KeptSums(int panels)
{
    private readonly int[]?[] _sums = new int[]?[(NestedBits.Most + 1) * panels];

    /// <summary>A panel's sums at a level; null before they are first kept.</summary>
    public ReadOnlySpan<int> Get(int level, int panel) => Volatile.Read(ref _sums[level * panels + panel]);

    /// <summary>Keeps a panel's sums at a level; two threads may keep the same ones.</summary>
    public void Keep(int level, int panel, ReadOnlySpan<int> sums) =>
        Volatile.Write(ref _sums[level * panels + panel], sums.ToArray());
}
