using NestQuant.Onnx;
using NestQuant.Onnx.Graph;

namespace NestQuant.Passes.GroupNL.Recognition;

/// <summary>Sub, Add and Mul of maps and one constant per channel: the shift and the period of a GroupNL block.</summary>
/// <param name="view">The graph.</param>
/// <param name="traced">The values followed so far, to which the result is added.</param>
internal sealed class ChannelArithmetic(GraphView view, Dictionary<string, TracedMaps> traced)
{
    /// <summary>Follows one node.</summary>
    /// <returns>Why it is not a shift or a period, or null.</returns>
    public string? Follow(NodeProto node)
    {
        string name = $"{node.OpType} '{node.DisplayName()}'";
        if (node.Input.Count != 2) return $"{name} does not have two inputs";
        bool first = traced.TryGetValue(node.InputAt(0), out TracedMaps? maps);
        string other = node.InputAt(first ? 1 : 0);
        if (first && traced.ContainsKey(other)) return $"{name} combines the maps with each other";
        if (!first && node.Is("Sub")) return $"{name} subtracts the maps from '{other}'";
        maps ??= traced[node.InputAt(1)];
        if (!maps.IsPlain) return $"{name} works on regrouped maps";

        string what = node.Is("Mul") ? "period" : "shift";
        if (view.Constant(other) is not { DataType: TensorDataType.Float } constant)
            return $"its {what} '{other}' is not a float32 constant";
        if (PerChannel(constant, maps.Maps.Length) is not { } values)
            return $"its {what} '{other}' of shape [{string.Join(',', constant.Dims)}] is not one value for each "
                + $"of {maps.Maps.Length} channels";
        MapStage before = node.Is("Mul") ? MapStage.Shifted : MapStage.Normalised;
        if (Array.Exists(maps.Maps, map => map.Stage > before)) return $"{name} comes after another factor or function";
        traced[node.Output[0]] = maps with { Maps = [.. maps.Maps.Select((map, i) => Apply(node, map, values[i]))] };
        return null;
    }

    private static MapOrigin Apply(NodeProto node, MapOrigin map, float value) => node.OpType switch
    {
        "Sub" => map with { Stage = MapStage.Shifted, Shift = value },
        "Add" => map with { Stage = MapStage.Shifted, Shift = -value },
        _ => map with { Stage = MapStage.Scaled, Period = value },
    };

    /// <summary>
    /// The values of a constant that varies along the channel axis only; null when it varies along other axes, or has another length.
    /// </summary>
    private static float[]? PerChannel(TensorProto constant, int channels)
    {
        const int axesAfterChannels = TracedMaps.Rank - TracedMaps.ChannelAxis;
        if (constant.ElementCount == 1 && constant.Dims.Count <= TracedMaps.Rank)
            return [.. Enumerable.Repeat(constant.ToFloats()[0], channels)];
        bool perChannel = constant.Dims.Count is axesAfterChannels or TracedMaps.Rank
            && constant.Dims[^axesAfterChannels] == channels
            && constant.ElementCount == channels;
        return perChannel ? constant.ToFloats() : null;
    }
}
