using Microsoft.ML.OnnxRuntime;

namespace NestQuant.Benchmarks.Switching;

/// <summary>Seeded values for the only input of a model of images, uniform in [-1, 1), one sample a run.</summary>
internal static class ImageFeeds
{
    /// <summary>Makes feeds that live as long as the process.</summary>
    /// <param name="inputs">The inputs that a run must feed.</param>
    /// <param name="count">How many feeds.</param>
    /// <exception cref="InvalidOperationException">The model takes something else than one float tensor with open extents in its first
    /// axis at most.</exception>
    public static IReadOnlyDictionary<string, OrtValue>[] Create(IReadOnlyDictionary<string, NodeMetadata> inputs, int count)
    {
        (string name, NodeMetadata input) = inputs.Single();
        long[] shape = [Math.Max(1, input.Dimensions[0]), .. input.Dimensions.Skip(1).Select(static extent => (long)extent)];
        if (input.ElementType != typeof(float) || Array.Exists(shape, static extent => extent < 1))
            throw new InvalidOperationException($"input '{name}' is no float tensor of known extents");
        var random = new Random(1);
        return
        [
            .. Enumerable.Range(0, count)
                .Select(_ => new Dictionary<string, OrtValue>(StringComparer.Ordinal)
                {
                    [name] = OrtValue.CreateTensorValueFromMemory(Values(random, shape), shape),
                })
        ];
    }

    /// <summary>The bytes of all outputs of a run.</summary>
    public static byte[][] Bytes(IEnumerable<OrtValue> outputs) =>
        [.. outputs.Select(static output => output.GetTensorMutableRawData().ToArray())];

    /// <summary>The values of a tensor.</summary>
    public static float[] Values(Random random, IEnumerable<long> shape)
    {
        var values = new float[shape.Aggregate(1L, static (product, extent) => product * extent)];
        foreach (ref float value in values.AsSpan()) value = 2 * random.NextSingle() - 1;
        return values;
    }
}
