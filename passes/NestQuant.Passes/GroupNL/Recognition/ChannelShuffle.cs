using NestQuant.Onnx;
using NestQuant.Onnx.Graph;

namespace NestQuant.Passes.GroupNL.Recognition;

/// <summary>
/// The effect of the three nodes of a channel shuffle on the order of the maps.
/// <code>
/// a = Reshape (x, [N, g, C/g, H, W]); b = Transpose &lt;perm = [0, 2, 1, 3, 4]&gt; (a); y = Reshape (b, [N, C, H, W])
/// </code>
/// </summary>
internal static class ChannelShuffle
{
    /// <summary>Number of axes of grouped maps.</summary>
    private const int GroupedRank = TracedMaps.Rank + 1;

    /// <summary>Reshape between plain and grouped maps; null when it does anything else for any size of the maps.</summary>
    public static TracedMaps? Reshape(NodeProto node, TracedMaps maps, ShapeTrace shapes)
    {
        if (shapes.Evaluate(node.InputAt(1)) is not { } target) return null;
        Extent[] source = maps.Shape;
        for (int i = 0; i < target.Length; i++)
        {
            if (target[i] != 0) continue;
            if (node.GetInt("allowzero", 0) != 0 || i >= source.Length) return null;
            target[i] = source[i];
        }

        if (target.Count(static extent => extent == -1) > 1) return null;
        return target.Length switch
        {
            TracedMaps.Rank => ToPlain(maps, target),
            GroupedRank when maps.IsPlain => ToGrouped(maps, target),
            _ => null,
        };
    }

    /// <summary>Transpose that swaps the two channel axes, or is the identity; null when it does anything else.</summary>
    public static TracedMaps? Transpose(NodeProto node, TracedMaps maps)
    {
        long[]? permutation = node.GetInts("perm");
        if (maps.IsPlain) return permutation is [0, 1, 2, 3] ? maps : null;
        if (permutation is [0, 1, 2, 3, 4]) return maps;
        if (permutation is not [0, 2, 1, 3, 4]) return null;
        int groups = maps.Grouping[0], size = maps.Grouping[1];
        var shuffled = new MapOrigin[maps.Maps.Length];
        for (int group = 0; group < groups; group++)
            for (int i = 0; i < size; i++) shuffled[(i * groups) + group] = maps.Maps[(group * size) + i];
        return maps with { Maps = shuffled, Grouping = [size, groups] };
    }

    private static TracedMaps? ToGrouped(TracedMaps maps, Extent[] target)
    {
        if (!IsOwn(target[0], maps.Batch) || !IsOwn(target[^2], maps.Height) || !IsOwn(target[^1], maps.Width)) return null;
        int count = maps.Maps.Length;
        long? groups = target[1].Value, size = target[2].Value;
        if (groups == -1 && size > 0) groups = count / size;
        if (size == -1 && groups > 0) size = count / groups;
        if (groups is not > 0 || size is not > 0 || groups > count || size > count || groups * size != count) return null;
        return new TracedMaps(
            maps.Maps,
            [(int)groups, (int)size],
            Pinned(target[0], maps.Batch),
            Pinned(target[^2], maps.Height),
            Pinned(target[^1], maps.Width));

        // A number is assumed to be the size of the axis; ToPlain then requires the same number.
        static bool IsOwn(Extent extent, Extent own) => extent == own || extent.Value is -1 or > 0;
        static Extent Pinned(Extent extent, Extent own) => extent == -1 ? own : extent;
    }

    /// <summary>
    /// Back to [N, C, H, W]. The maps are finally concatenated with the normalised seed maps, so batch, height and width given here are the
    /// actual ones in every run that succeeds; those given by the first Reshape must therefore be the same.
    /// </summary>
    private static TracedMaps? ToPlain(TracedMaps maps, Extent[] target)
    {
        bool channels = target[TracedMaps.ChannelAxis] == maps.Maps.Length || target[TracedMaps.ChannelAxis] == -1;
        bool same = IsSame(target[0], maps.Batch, TracedMaps.BatchAxis)
            && IsSame(target[^2], maps.Height, TracedMaps.HeightAxis)
            && IsSame(target[^1], maps.Width, TracedMaps.WidthAxis);
        return channels && same ? TracedMaps.Plain(maps.Maps) : null;

        static bool IsSame(Extent written, Extent before, int axis) => written == before || before == Extent.Of(axis);
    }
}
