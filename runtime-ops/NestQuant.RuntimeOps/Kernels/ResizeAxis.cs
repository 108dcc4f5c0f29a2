using NestQuant.RuntimeOps.Schema;

namespace NestQuant.RuntimeOps.Kernels;

/// <summary>Where the positions of a resized axis lie between those of the source, as ONNX Resize says.</summary>
internal sealed class ResizeAxis
{
    private readonly float _scale;

    private ResizeAxis(int source, int extent, float scale)
    {
        Source = source;
        _scale = scale;
        Low = new int[extent];
        High = new int[extent];
        Fraction = new float[extent];
    }

    /// <summary>Extent of the source.</summary>
    public int Source { get; }

    /// <summary>For every position of the result, the position of the source at or before it.</summary>
    public int[] Low { get; }

    /// <summary>The next position of the source; the last one at the end.</summary>
    public int[] High { get; }

    /// <summary>The part of <see cref="High"/>, from 0 to below 1; that of <see cref="Low"/> is the rest.</summary>
    public float[] Fraction { get; }

    /// <summary>Whether this is what <see cref="Of"/> makes of the same coordinates and these extents and scale.</summary>
    public bool Serves(int source, int extent, float scale) => Source == source && Low.Length == extent && _scale == scale;

    /// <summary>Finds the positions, in float32 as ONNX Runtime does.</summary>
    /// <param name="source">Extent of the source, at least 1.</param>
    /// <param name="extent">Extent of the result.</param>
    /// <param name="scale">The scale, which need not be the quotient of the extents.</param>
    /// <param name="coordinates">One of <see cref="ResizeCoordinates"/>.</param>
    public static ResizeAxis Of(int source, int extent, float scale, string coordinates)
    {
        var axis = new ResizeAxis(source, extent, scale);
        for (int i = 0; i < extent; i++)
        {
            float position = coordinates switch
            {
                ResizeCoordinates.Asymmetric => i / scale,
                ResizeCoordinates.AlignCorners => extent == 1 ? 0 : i * (float)(source - 1) / (extent - 1),
                ResizeCoordinates.PyTorchHalfPixel => extent == 1 ? 0 : (i + 0.5f) / scale - 0.5f,
                _ => (i + 0.5f) / scale - 0.5f,
            };
            position = Math.Clamp(position, 0, source - 1);
            axis.Low[i] = (int)position;
            axis.High[i] = Math.Min(axis.Low[i] + 1, source - 1);
            axis.Fraction[i] = position - axis.Low[i];
        }

        return axis;
    }
}
