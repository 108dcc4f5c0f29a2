using NestQuant.Onnx;
using NestQuant.Onnx.Graph;

namespace NestQuant.Passes.GroupNL.Recognition;

/// <summary>
/// Follows the normalised seed maps through a graph and records the origin of every map of every value. Grouping, repetition, remainders
/// and channel shuffles are all treated alike, as orders of maps.
/// </summary>
internal sealed class MapTrace
{
    private readonly GraphView _view;
    private readonly string _seeds;
    private readonly long?[] _seedShape;
    private readonly Dictionary<string, TracedMaps> _traced = new(StringComparer.Ordinal);
    private readonly ShapeTrace _shapes;
    private readonly FunctionTrace _functions;

    /// <summary>Starts at the normalised maps.</summary>
    /// <param name="view">The graph.</param>
    /// <param name="seeds">Name of the seed maps.</param>
    /// <param name="seedShape">Their shape [N, C, H, W]; null where a size is not known; the number of channels must be known.</param>
    /// <param name="normalised">Name of the normalised maps.</param>
    public MapTrace(GraphView view, string seeds, long?[] seedShape, string normalised)
    {
        _view = view;
        _seeds = seeds;
        _seedShape = seedShape;
        Seeds = (int)seedShape[TracedMaps.ChannelAxis]!.Value;
        _traced[normalised] = TracedMaps.Seeds(Seeds);
        _shapes = new ShapeTrace(view, ShapeOf);
        _functions = new FunctionTrace(view, _traced);
    }

    /// <summary>Number of seed maps.</summary>
    public int Seeds { get; }

    /// <summary>Whether a node, or a subgraph of it, reads a value that has been followed.</summary>
    public bool IsReadBy(NodeProto node) =>
        node.Input.Exists(_traced.ContainsKey) || node.Subgraphs().Any(subgraph => CapturedValues.Of(subgraph).Any(_traced.ContainsKey));

    /// <summary>
    /// The generated maps of a value that consists of all normalised seed maps in order and generated maps after them; null for other
    /// values.
    /// </summary>
    public MapOrigin[]? GeneratedAfterSeeds(string value)
    {
        if (!_traced.TryGetValue(value, out TracedMaps? maps) || !maps.IsPlain || maps.Maps.Length <= Seeds) return null;
        for (int i = 0; i < maps.Maps.Length; i++)
        {
            bool fits = i < Seeds ? maps.Maps[i] == new MapOrigin(i) : maps.Maps[i].Stage == MapStage.Generated;
            if (!fits) return null;
        }

        return maps.Maps[Seeds..];
    }

    /// <summary>
    /// Whether Expand of one map to the shape that <paramref name="shape"/> holds yields at most the shape of the seed maps.
    /// </summary>
    public bool ExpandsToSeeds(string shape) => _shapes.Evaluate(shape) is { } extents && IsWithinSeeds(extents, Seeds);

    /// <summary>Follows one node that reads followed values.</summary>
    /// <returns>Why the node is not part of a GroupNL block, or null.</returns>
    public string? Follow(NodeProto node)
    {
        string name = $"{node.OpType} '{node.DisplayName()}'";
        if (!node.IsDefaultDomain() || node.Output is [] or [""]) return $"its maps are also used by {name}";
        if (_functions.TryFollow(node)) return null;
        switch (node.OpType)
        {
            case "Split":
                return Split(node) ? null : $"{name} does not split the maps into constant sizes along the channels";
            case "Concat":
                return Concat(node) ? null : $"{name} does not join its maps along the channels, or joins them with others";
            case "Sin":
                return $"{name} comes after another function";
            case "Sub" or "Add" or "Mul":
                return new ChannelArithmetic(_view, _traced).Follow(node);
        }

        if (FunctionTrace.IsStep(node.OpType)) return $"{name} is not a step of a recognised function";

        TracedMaps? result = _traced.TryGetValue(node.InputAt(0), out TracedMaps? maps) ? Rearrange(node, maps) : null;
        if (result is null)
            return IsRearrangement(node) ? $"{name} does more than reorder the maps" : $"its maps are also used by {name}";
        _traced[node.Output[0]] = result;
        return null;
    }

    private static bool IsRearrangement(NodeProto node) =>
        node.OpType is "Identity" or "Tile" or "Expand" or "Gather" or "Slice" or "Reshape" or "Transpose";

    private TracedMaps? Rearrange(NodeProto node, TracedMaps maps) => node.OpType switch
    {
        "Identity" => maps,
        "Tile" => Tile(node, maps),
        "Expand" => maps.IsPlain && _shapes.Evaluate(node.InputAt(1)) is { } shape && IsWithinSeeds(shape, maps.Maps.Length) ? maps : null,
        "Gather" => Gather(node, maps),
        "Slice" => Slice(node, maps),
        "Reshape" => ChannelShuffle.Reshape(node, maps, _shapes),
        "Transpose" => ChannelShuffle.Transpose(node, maps),
        _ => null,
    };

    private bool Split(NodeProto node)
    {
        if (!_traced.TryGetValue(node.InputAt(0), out TracedMaps? maps) || !maps.IsPlain || !IsChannelAxis(node.GetInt("axis", 0)))
            return false;
        long[]? sizes = node.InputAt(1).Length > 0
            ? Integers(node.InputAt(1))
            : node.GetInts("split") ?? EqualSizes(maps.Maps.Length, node.Output.Count);
        int count = maps.Maps.Length;
        if (sizes is null || sizes.Length != node.Output.Count || sizes.Any(size => size < 0 || size > count) || sizes.Sum() != count)
            return false;
        int first = 0;
        for (int i = 0; i < sizes.Length; i++)
        {
            if (node.Output[i].Length > 0) _traced[node.Output[i]] = TracedMaps.Plain(maps.Maps[first..(first + (int)sizes[i])]);
            first += (int)sizes[i];
        }

        return true;
    }

    /// <summary>Default sizes: equal, with a smaller last one where the number of outputs does not divide the total.</summary>
    private static long[] EqualSizes(int total, int parts)
    {
        int size = (total + parts - 1) / parts;
        return [.. Enumerable.Range(0, parts).Select(part => (long)Math.Clamp(total - (part * size), 0, size))];
    }

    private bool Concat(NodeProto node)
    {
        if (!IsChannelAxis(node.GetInt("axis", 0))) return false;
        var joined = new List<MapOrigin>();
        foreach (string input in node.Input)
        {
            if (!_traced.TryGetValue(input, out TracedMaps? maps) || !maps.IsPlain || joined.Count + maps.Maps.Length > TracedMaps.MaxMaps)
                return false;
            joined.AddRange(maps.Maps);
        }

        _traced[node.Output[0]] = TracedMaps.Plain([.. joined]);
        return true;
    }

    private TracedMaps? Tile(NodeProto node, TracedMaps maps)
    {
        if (!maps.IsPlain
            || Integers(node.InputAt(1)) is not [1, var repeats and > 0, 1, 1]
            || repeats > TracedMaps.MaxMaps / Math.Max(maps.Maps.Length, 1))
            return null;
        return TracedMaps.Plain([.. Enumerable.Repeat(maps.Maps, (int)repeats).SelectMany(static copy => copy)]);
    }

    private TracedMaps? Gather(NodeProto node, TracedMaps maps)
    {
        int count = maps.Maps.Length;
        if (!maps.IsPlain || !IsChannelAxis(node.GetInt("axis", 0))) return null;
        if (Integers(node.InputAt(1)) is not { } indices || Array.Exists(indices, index => index < -count || index >= count)) return null;
        return TracedMaps.Plain(Array.ConvertAll(indices, index => maps.Maps[index < 0 ? index + count : index]));
    }

    private TracedMaps? Slice(NodeProto node, TracedMaps maps)
    {
        int count = maps.Maps.Length;
        if (!maps.IsPlain || Integers(node.InputAt(3)) is not [var axis] || !IsChannelAxis(axis)) return null;
        if (Integers(node.InputAt(1)) is not [var start] || Integers(node.InputAt(2)) is not [var end]) return null;
        if (node.InputAt(4).Length > 0 && Integers(node.InputAt(4)) is not [1]) return null;
        int last = Position(end, count), first = Math.Min(Position(start, count), last);
        return TracedMaps.Plain(maps.Maps[first..last]);
    }

    /// <summary>Whether no extent is larger than that of the seed maps, with <paramref name="channels"/> maps.</summary>
    private bool IsWithinSeeds(Extent[] shape, int channels)
    {
        for (int i = 0; i < shape.Length; i++)
        {
            int axis = TracedMaps.Rank - shape.Length + i;
            if (axis < 0) return false;
            long? size = axis == TracedMaps.ChannelAxis ? channels : _seedShape[axis];
            if (shape[i] != 1 && shape[i] != Extent.Of(axis) && (size is null || shape[i] != size.Value)) return false;
        }

        return true;
    }

    private Extent[]? ShapeOf(string value)
    {
        if (_traced.TryGetValue(value, out TracedMaps? maps)) return maps.Shape;
        return value == _seeds ? TracedMaps.Seeds(Seeds).Shape : null;
    }

    private long[]? Integers(string name) =>
        name.Length > 0 && _view.Constant(name) is { DataType: TensorDataType.Int64, Dims.Count: 1 } tensor ? tensor.ToInt64s() : null;

    private static bool IsChannelAxis(long axis) => axis is TracedMaps.ChannelAxis or TracedMaps.ChannelAxis - TracedMaps.Rank;

    private static int Position(long position, int length) => (int)Math.Clamp(position < 0 ? position + length : position, 0, length);
}
