using NestQuant.Passes.LinearAlgebra;

namespace NestQuant.Passes.Tests.LinearAlgebra;

internal static class RandomMatrix
{
    /// <summary>A matrix of values between -1 and 1.</summary>
    public static Matrix Of(int rows, int columns, int seed)
    {
        var random = new Random(seed);
        var matrix = new Matrix(rows, columns);
        for (int i = 0; i < rows; i++)
            for (int j = 0; j < columns; j++) matrix[i, j] = (2 * random.NextDouble()) - 1;
        return matrix;
    }
}
