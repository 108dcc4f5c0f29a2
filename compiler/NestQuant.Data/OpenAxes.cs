using NestQuant.Onnx;

namespace NestQuant.Data;

/// <summary>Extents for the axes that a model leaves open, where values are to be made for its inputs.</summary>
internal static class OpenAxes
{
    /// <summary>Extents that nothing else says: of images, and of sequences and all others.</summary>
    private const long ImageExtent = 224, OtherExtent = 128;

    private const int ImageRank = 4;

    /// <summary>The shape of every input, in order.</summary>
    /// <param name="inputs">What a model takes.</param>
    /// <param name="extents">
    /// Extents by the symbol of an axis, or by <c>INPUT:AXIS</c>; axes of one symbol are equally long.
    /// </param>
    /// <param name="batch">Extent of a first axis that neither the model nor <paramref name="extents"/> gives.</param>
    /// <exception cref="ModelException">An extent is for an axis that is not open.</exception>
    public static IReadOnlyList<IReadOnlyList<long>> Close(
        IReadOnlyList<ModelInput> inputs, IReadOnlyDictionary<string, int> extents, int batch)
    {
        var known = new Dictionary<string, long>(StringComparer.Ordinal);
        var open = new HashSet<string>(StringComparer.Ordinal);
        foreach (ModelInput input in inputs)
        {
            foreach (int axis in Open(input))
            {
                string name = Name(input, axis), place = Place(input, axis);
                open.UnionWith([name, place]);
                if (extents.TryGetValue(place, out int extent) || extents.TryGetValue(name, out extent))
                    known[name] = extent;
                else if (axis == 0)
                    known.TryAdd(name, batch);
            }
        }

        if (extents.Keys.FirstOrDefault(name => !open.Contains(name)) is { } unknown)
            throw new ModelException(Unknown(unknown, inputs));
        return [.. inputs.Select(input => Closed(input, known))];
    }

    private static long[] Closed(ModelInput input, Dictionary<string, long> known)
    {
        long[] shape = [.. input.Shape];
        foreach (int axis in Open(input))
        {
            bool isImage = shape.Length == ImageRank && input.Type >= NpyType.Float16;
            known.TryAdd(Name(input, axis), isImage ? ImageExtent : OtherExtent);
            shape[axis] = known[Name(input, axis)];
        }

        return shape;
    }

    private static IEnumerable<int> Open(ModelInput input) =>
        Enumerable.Range(0, input.Shape.Count).Where(axis => input.Shape[axis] < 0);

    private static string Name(ModelInput input, int axis) =>
        input.Axes.ElementAtOrDefault(axis) is { Length: > 0 } symbol ? symbol : Place(input, axis);

    private static string Place(ModelInput input, int axis) => FormattableString.Invariant($"{input.Name}:{axis}");

    private static string Unknown(string name, IReadOnlyList<ModelInput> inputs)
    {
        string open = string.Join(", ", inputs.SelectMany(input => Open(input).Select(axis => $"'{Name(input, axis)}'")).Distinct());
        return open.Length == 0
            ? $"shape '{name}': the model leaves no axis of its inputs open"
            : $"shape '{name}': no such axis is open: the model leaves open {open}";
    }
}
