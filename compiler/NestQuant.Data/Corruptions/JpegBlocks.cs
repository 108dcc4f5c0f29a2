namespace NestQuant.Data.Corruptions;

/// <summary>JPEG's transform coding: cosine coefficients of 8 x 8 blocks, rounded to multiples of a table's steps.</summary>
internal static class JpegBlocks
{
    private const int Side = 8;

    // ITU-T T.81, tables K.1 and K.2.
    private static readonly int[] LuminanceSteps =
    [
        16, 11, 10, 16, 24, 40, 51, 61,
        12, 12, 14, 19, 26, 58, 60, 55,
        14, 13, 16, 24, 40, 57, 69, 56,
        14, 17, 22, 29, 51, 87, 80, 62,
        18, 22, 37, 56, 68, 109, 103, 77,
        24, 35, 55, 64, 81, 104, 113, 92,
        49, 64, 78, 87, 103, 121, 120, 101,
        72, 92, 95, 98, 112, 100, 103, 99,
    ];

    private static readonly int[] ChrominanceSteps =
    [
        17, 18, 24, 47, 99, 99, 99, 99,
        18, 21, 26, 66, 99, 99, 99, 99,
        24, 26, 56, 99, 99, 99, 99, 99,
        47, 66, 99, 99, 99, 99, 99, 99,
        99, 99, 99, 99, 99, 99, 99, 99,
        99, 99, 99, 99, 99, 99, 99, 99,
        99, 99, 99, 99, 99, 99, 99, 99,
        99, 99, 99, 99, 99, 99, 99, 99,
    ];

    // [frequency, position], orthonormal, so that its transpose inverts it.
    private static readonly float[] Cosines = CreateCosines();

    /// <summary>Steps for luminance.</summary>
    /// <param name="quality">1 to 100, on the scale of the Independent JPEG Group.</param>
    public static int[] Luminance(int quality) => Scale(LuminanceSteps, quality);

    /// <summary>Steps for chrominance.</summary>
    /// <param name="quality">1 to 100, on the scale of the Independent JPEG Group.</param>
    public static int[] Chrominance(int quality) => Scale(ChrominanceSteps, quality);

    /// <summary>Replaces a plane by its decoded form.</summary>
    /// <param name="plane">Values 0 to 255; both extents are multiples of 8.</param>
    /// <param name="width">Columns.</param>
    /// <param name="steps">Quantization steps, [8, 8] by vertical and horizontal frequency.</param>
    public static void Quantize(Span<float> plane, int width, ReadOnlySpan<int> steps)
    {
        Span<float> block = stackalloc float[Side * Side];
        for (int top = 0; top < plane.Length / width; top += Side)
        {
            for (int left = 0; left < width; left += Side)
            {
                for (int i = 0; i < block.Length; i++)
                    block[i] = plane[((top + (i / Side)) * width) + left + (i % Side)] - 128;
                Transform(block, inverse: false);
                for (int i = 0; i < block.Length; i++)
                    block[i] = MathF.Round(block[i] / steps[i]) * steps[i];
                Transform(block, inverse: true);
                for (int i = 0; i < block.Length; i++)
                    plane[((top + (i / Side)) * width) + left + (i % Side)] = Math.Clamp(MathF.Round(block[i] + 128), 0, 255);
            }
        }
    }

    private static int[] Scale(int[] steps, int quality)
    {
        int percent = quality < 50 ? 5000 / quality : 200 - (2 * quality);
        return Array.ConvertAll(steps, step => Math.Clamp(((step * percent) + 50) / 100, 1, 255));
    }

    // Twice over rows with the result transposed: rows, then columns.
    private static void Transform(Span<float> block, bool inverse)
    {
        Span<float> between = stackalloc float[Side * Side];
        TransformRows(block, between, inverse);
        TransformRows(between, block, inverse);
    }

    private static void TransformRows(ReadOnlySpan<float> source, Span<float> transposed, bool inverse)
    {
        for (int row = 0; row < Side; row++)
        {
            for (int i = 0; i < Side; i++)
            {
                float sum = 0;
                for (int j = 0; j < Side; j++)
                    sum += source[(row * Side) + j] * (inverse ? Cosines[(j * Side) + i] : Cosines[(i * Side) + j]);
                transposed[(i * Side) + row] = sum;
            }
        }
    }

    private static float[] CreateCosines()
    {
        var cosines = new float[Side * Side];
        for (int i = 0; i < cosines.Length; i++)
        {
            (int frequency, int position) = (i / Side, i % Side);
            double norm = Math.Sqrt((frequency == 0 ? 1.0 : 2.0) / Side);
            cosines[i] = (float)(norm * Math.Cos(((2 * position) + 1) * frequency * Math.PI / (2 * Side)));
        }

        return cosines;
    }
}
