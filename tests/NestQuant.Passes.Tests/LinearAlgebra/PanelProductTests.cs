using CsCheck;
using NestQuant.Passes.LinearAlgebra;

namespace NestQuant.Passes.Tests.LinearAlgebra;

/// <summary>Each element is its products, fused and in order, whatever the extents.</summary>
public sealed class PanelProductTests
{
    [Fact]
    public void ProductsAreChainsOfFusedMultiplyAdds() =>
        Gen.Select(Gen.Int[1, 90], Gen.Int[1, 300], Gen.Int[1, 90], Gen.Int[1, 3]).Sample(
            static (rows, depth, columns, threads) =>
            {
                Matrix left = RandomMatrix.Of(rows, depth, 1), right = RandomMatrix.Of(depth, columns, 2);
                Matrix product = PanelProduct.Of(left, right, new ParallelOptions { MaxDegreeOfParallelism = threads });
                for (int i = 0; i < rows; i++)
                {
                    for (int j = 0; j < product.Stride; j++)
                    {
                        double expected = 0;
                        for (int k = 0; k < depth && j < columns; k++)
                            expected = Math.FusedMultiplyAdd(left[i, k], right[k, j], expected);
                        Assert.Equal(expected, product[i, j]);
                    }
                }
            },
            iter: 30);
}
