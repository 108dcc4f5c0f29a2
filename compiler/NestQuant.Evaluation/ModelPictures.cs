using NestQuant.Data;

namespace NestQuant.Evaluation;

/// <summary>How pictures are to be read for a model: what the command line says, else what the model's input [N, C, H, W] says.</summary>
public static class ModelPictures
{
    /// <summary>Largest height and width of a picture for a model, in pixels.</summary>
    public const int MaxExtent = 1 << 14;

    /// <summary>Options for a model; extents stay 0 where neither side says them, which reading pictures then refuses.</summary>
    public static ImageOptions For(
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
