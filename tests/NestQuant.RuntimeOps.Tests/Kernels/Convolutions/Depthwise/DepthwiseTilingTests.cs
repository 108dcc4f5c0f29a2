using CsCheck;
using NestQuant.RuntimeOps.Kernels.Convolutions;
using NestQuant.RuntimeOps.Kernels.Convolutions.Depthwise;

namespace NestQuant.RuntimeOps.Tests.Kernels.Convolutions.Depthwise;

public sealed class DepthwiseTilingTests
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
        if (!DepthwiseTiling.Applies(geometry))
            return;
        DepthwiseTiling tiling = new(geometry, wanted);
        int next = 0;
        for (int index = 0; index < tiling.Count; index++)
        {
            DepthwiseTile tile = tiling[index];
            Assert.Equal(next, tile.FirstRow);
            Assert.True(tile.Lines == 1 || tile.Columns == width.Output);
            Assert.True((long)tile.StripLines * tile.StripColumns <= tiling.StripPositions);
            Assert.True(tile.StripLines > (tile.Lines - 1) * height.Stride + (height.Kernel - 1) * height.Dilation);
            Assert.True(tile.StripColumns > (tile.Columns - 1) * width.Stride + (width.Kernel - 1) * width.Dilation);
            next += tile.Lines * tile.Columns;
        }

        Assert.Equal(geometry.Rows, next);
    }, iter: 200);

    [Fact]
    public void A_kernel_of_absurd_reach_is_left_to_the_general_kernel()
    {
        ConvolutionAxis far = new(10, 2, 1, int.MaxValue / 2, int.MaxValue / 4, 10);
        Assert.False(DepthwiseTiling.Applies(new ConvolutionGeometry(1, far, ConvolutionAxis.Single, 8, 1, 8)));
        Assert.False(DepthwiseTiling.Applies(new ConvolutionGeometry(1, far, far, 8, 1, 8)));
    }
}
