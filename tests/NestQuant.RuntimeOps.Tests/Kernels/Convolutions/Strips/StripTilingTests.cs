using CsCheck;
using NestQuant.RuntimeOps.Kernels.Convolutions;
using NestQuant.RuntimeOps.Kernels.Convolutions.Strips;
using NestQuant.RuntimeOps.Kernels.Tiers.AvxVnni;
using NestQuant.RuntimeOps.Tests.Kernels.Tiers.AvxVnni;

namespace NestQuant.RuntimeOps.Tests.Kernels.Convolutions.Strips;

public sealed class StripTilingTests
{
    private static readonly Gen<ConvolutionAxis> Axes =
        from input in Gen.Int[1, 3000]
        from kernel in Gen.Int[1, 7]
        from stride in Gen.Int[1, 4]
        from dilation in Gen.Int[1, 40]
        from pad in Gen.Int[0, 300]
        let padded = input + 2 * pad - (kernel - 1) * dilation - 1
        where padded >= 0
        select new ConvolutionAxis(input, kernel, stride, dilation, pad, padded / stride + 1);

    [Fact]
    public void Every_output_belongs_to_one_tile_and_tiles_follow_each_other() =>
        Gen.Select(Gen.Int[1, 3], Axes, Axes, Gen.Int[1, 20]).Sample((batch, height, width, wanted) =>
    {
        ConvolutionGeometry geometry = new(batch, height, width, 8, 1, 8);
        StripTiling tiling = new(geometry, new ByteStrips<EmulatedDot>(), new StripShape(geometry), wanted);
        int next = 0;
        for (int index = 0; index < tiling.Count; index++)
        {
            StripTile tile = tiling[index];
            Assert.Equal(next, tile.FirstRow);
            Assert.True(tile.Lines == 1 || tile.Columns == width.Output);
            Assert.True(tile.StripColumns > (tile.Columns - 1) * width.Stride + (width.Kernel - 1) * width.Dilation);
            next += tile.Lines * tile.Columns;
        }

        Assert.Equal(geometry.Rows, next);
    }, iter: 200);
}
