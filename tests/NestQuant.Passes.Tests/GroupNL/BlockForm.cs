using NestQuant.Onnx;
using NestQuant.TestSupport;

namespace NestQuant.Passes.Tests.GroupNL;

/// <summary>The ways in which exporters write a channel shuffle.</summary>
public enum ShuffleForm
{
    None,
    ConstantShapes,
    ComputedShapes,
    Gather,
}

/// <summary>The ways in which the norm gets the shape of the maps.</summary>
public enum NormShape
{
    Computed,
    Constant,
    Broadcast,
}

/// <summary>Writes a GroupNL block as exporters do, with its constants folded: seeds in, maps out. Seeds are [batch, C, 4, 4].</summary>
internal sealed record BlockForm
{
    public const int Side = 4;

    /// <summary>Sizes of the groups of seed maps.</summary>
    public int[] Groups { get; init; } = [4, 4];

    /// <summary>How often each group is repeated: r - 1.</summary>
    public int Copies { get; init; } = 1;

    public ShuffleForm Shuffle { get; init; }

    /// <summary>Groups of the shuffle.</summary>
    public int ShuffleGroups { get; init; } = 2;

    public NormShape Norm { get; init; }

    public bool MaxInsteadOfClip { get; init; }

    /// <summary>Name of the maps that come out.</summary>
    public string Result { get; init; } = "y";

    public long Opset { get; init; } = 17;

    public int Seeds => Groups.Sum();

    public int Generated => Seeds * Copies;

    /// <summary>Adds the block behind <paramref name="seeds"/>; every value that it makes starts with the result's name.</summary>
    public GraphBuilder AddTo(GraphBuilder graph, string seeds)
    {
        string p = Result;
        Normalise(graph, seeds);
        string maps = Repeat(graph);
        var random = new Random(3);
        graph.Floats($"{p}_shift", [1, Generated, 1, 1], PerGroup(random)).Floats($"{p}_period", [1, Generated, 1, 1], PerGroup(random))
            .Node($"{p}_shifted = Sub({maps}, {p}_shift)")
                .Node($"{p}_scaled = Mul({p}_shifted, {p}_period)")
                .Node($"{p}_sine = Sin({p}_scaled)");
        return graph.Node($"{p} = Concat({p}_n, {Shuffled(graph)})", AttributeProto.Int("axis", 1));
    }

    /// <summary>A model with one block behind a convolution of x [batch, 3, 4, 4].</summary>
    public ModelProto Model() => AddTo(Seed(new GraphBuilder(), "c"), "c").Output(Result).Model(Opset);

    /// <summary>Adds the input x and a convolution of it.</summary>
    public GraphBuilder Seed(GraphBuilder graph, string output) => graph
        .Input("x", -1, 3, Side, Side)
            .Random("W", Seeds, 3, 3, 3)
            .Node($"{output} = Conv(x, W)", AttributeProto.IntList("pads", 1, 1, 1, 1));

    private void Normalise(GraphBuilder graph, string seeds)
    {
        string p = Result, norm = $"{p}_norm";
        if (Opset < 18) graph.Node($"{norm} = ReduceL2({seeds})", AttributeProto.IntList("axes", 1));
        else graph.Int64s($"{p}_axes", 1).Node($"{norm} = ReduceL2({seeds}, {p}_axes)");
        graph.Floats($"{p}_epsilon", [], 1e-12f)
            .Node(MaxInsteadOfClip ? $"{p}_bounded = Max({p}_epsilon, {norm})" : $"{p}_bounded = Clip({norm}, {p}_epsilon, )");
        switch (Norm)
        {
            case NormShape.Broadcast:
                graph.Node($"{p}_n = Div({seeds}, {p}_bounded)");
                break;
            case NormShape.Constant:
                graph.Int64s($"{p}_seed_shape", 1, Seeds, 1, 1)
                    .Node($"{p}_expanded = Expand({p}_bounded, {p}_seed_shape)")
                    .Node($"{p}_n = Div({seeds}, {p}_expanded)");
                break;
            default:
                graph.Node($"{p}_seed_shape = Shape({seeds})")
                    .Node($"{p}_expanded = Expand({p}_bounded, {p}_seed_shape)")
                    .Node($"{p}_n = Div({seeds}, {p}_expanded)");
                break;
        }
    }

    private string Repeat(GraphBuilder graph)
    {
        string p = Result;
        graph.Int64s($"{p}_repeats", 1, Copies, 1, 1);
        if (Groups.Length == 1)
        {
            if (Copies == 1) return $"{p}_n";
            graph.Node($"{p}_maps = Tile({p}_n, {p}_repeats)");
            return $"{p}_maps";
        }

        string[] parts = [.. Groups.Select((_, i) => $"{p}_part{i}")], tiles = [.. Groups.Select((_, i) => $"{p}_tile{i}")];
        string names = string.Join(", ", parts);
        long[] sizes = [.. Groups.Select(static size => (long)size)];
        if (Opset >= 13) graph.Int64s($"{p}_sizes", sizes).Node($"{names} = Split({p}_n, {p}_sizes)", AttributeProto.Int("axis", 1));
        else graph.Node($"{names} = Split({p}_n)", AttributeProto.Int("axis", 1), AttributeProto.IntList("split", sizes));
        graph.Int64s($"{p}_ones", 1, 1, 1, 1);
        for (int i = 0; i < parts.Length; i++)
            graph.Node($"{tiles[i]}_e = Expand({parts[i]}, {p}_ones)").Node($"{tiles[i]} = Tile({tiles[i]}_e, {p}_repeats)");
        graph.Node($"{p}_maps = Concat({string.Join(", ", tiles)})", AttributeProto.Int("axis", 1));
        return $"{p}_maps";
    }

    private string Shuffled(GraphBuilder graph)
    {
        string p = Result;
        switch (Shuffle)
        {
            case ShuffleForm.None:
                return $"{p}_sine";
            case ShuffleForm.Gather:
                graph.Int64s(
                    $"{p}_order",
                    [
                        .. Enumerable.Range(0, Generated)
                            .Select(i => (long)((i * ShuffleGroups % Generated) + (i * ShuffleGroups / Generated)))
                    ]);
                graph.Node($"{p}_shuffled = Gather({p}_sine, {p}_order)", AttributeProto.Int("axis", 1));
                return $"{p}_shuffled";
            case ShuffleForm.ConstantShapes:
                graph.Int64s($"{p}_grouped", 1, ShuffleGroups, Generated / ShuffleGroups, Side, Side)
                    .Int64s($"{p}_plain", 1, Generated, Side, Side);
                break;
            case ShuffleForm.ComputedShapes:
                graph.Int64s($"{p}_zero", 0).Int64s($"{p}_g", ShuffleGroups).Node($"{p}_shape = Shape({p}_sine)");
                foreach (int axis in (int[])[0, 1, 2, 3])
                {
                    graph.Constant(TensorProto.FromInt64s($"{p}_axis{axis}", [], [axis]))
                        .Node($"{p}_size{axis} = Gather({p}_shape, {p}_axis{axis})")
                            .Node($"{p}_dim{axis} = Unsqueeze({p}_size{axis}, {p}_zero)");
                }

                graph.Node($"{p}_per_group = Div({p}_size1, {p}_g)")
                    .Node($"{p}_grouped = Concat({p}_dim0, {p}_g, {p}_per_group, {p}_dim2, {p}_dim3)", AttributeProto.Int("axis", 0))
                    .Node($"{p}_plain = Concat({p}_dim0, {p}_dim1, {p}_dim2, {p}_dim3)", AttributeProto.Int("axis", 0));
                break;
        }

        graph.Node($"{p}_a = Reshape({p}_sine, {p}_grouped)")
            .Node($"{p}_b = Transpose({p}_a)", AttributeProto.IntList("perm", 0, 2, 1, 3, 4))
            .Node($"{p}_shuffled = Reshape({p}_b, {p}_plain)");
        return $"{p}_shuffled";
    }

    /// <summary>One value in [1, 2) for every (group, copy), shared by the group's maps.</summary>
    private float[] PerGroup(Random random)
    {
        var values = new List<float>();
        foreach (int size in Groups)
            for (int copy = 0; copy < Copies; copy++) values.AddRange(Enumerable.Repeat(1 + random.NextSingle(), size));
        return [.. values];
    }
}
