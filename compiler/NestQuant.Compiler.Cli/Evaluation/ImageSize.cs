using System.Globalization;
using NestQuant.Compiler.Data;

namespace NestQuant.Compiler.Cli.Evaluation;

/// <summary>How pictures are to be read for a model: what the command line says, else what the model's input [N, C, H, W] says.</summary>
internal static class ImageSize
{
    private const int MaxExtent = 1 << 14;

    /// <summary>Reads <c>N</c> or <c>HxW</c>; null when the text is null.</summary>
    /// <exception cref="UsageException">The text is something else.</exception>
    public static (int Height, int Width)? Parse(string? text)
    {
        if (text is null)
            return null;
        string[] parts = text.Split('x');
        int[] extents = [.. parts.Select(part => int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out int extent) ? extent : 0)];
        if (extents.Length > 2 || extents.Any(extent => extent is < 1 or > MaxExtent))
            throw new UsageException($"--size is '{text}': a number of pixels or HxW is needed, for example 224");
        return (extents[0], extents[^1]);
    }

    /// <summary>Options for a model; extents stay 0 where neither side says them, which reading pictures then refuses.</summary>
    public static ImageOptions Options(
        IReadOnlyList<ModelInput> inputs, (int Height, int Width)? size, IReadOnlyList<float>? mean, IReadOnlyList<float>? deviation)
    {
        IReadOnlyList<long> shape = inputs.Count == 1 && inputs[0].Shape.Count == 4 ? inputs[0].Shape : [-1, -1, -1, -1];
        return new ImageOptions
        {
            Channels = shape[1] > 0 ? (int)Math.Min(shape[1], int.MaxValue) : 3,
            Height = size?.Height ?? Extent(shape[2]),
            Width = size?.Width ?? Extent(shape[3]),
            Mean = mean ?? [0f],
            Deviation = deviation ?? [1f],
        };
    }

    private static int Extent(long extent) => extent is > 0 and <= MaxExtent ? (int)extent : 0;
}
