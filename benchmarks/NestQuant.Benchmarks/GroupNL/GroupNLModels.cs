using NestQuant.Onnx;
using NestQuant.RuntimeOps;
using NestQuant.RuntimeOps.Operators;
using NestQuant.RuntimeOps.Packing;
using NestQuant.RuntimeOps.Schema;

namespace NestQuant.Benchmarks.GroupNL;

/// <summary>
/// One GroupNL layer with 64 output maps of 56x56 from a 3x3 convolution over 64 channels: 32 seed maps, r = 2, 4 groups, in every form
/// that it can take. Random weights, always the same.
/// </summary>
internal static class GroupNLModels
{
    public const int Channels = 64;
    public const int Seeds = 32;
    public const int Size = 56;

    private const int Groups = 4;
    private static readonly float[] Shift = Random(Groups, 1, 1, 5), Period = Random(Groups, 2, 1, 2);

    /// <summary>A float convolution to this many maps, without what follows it.</summary>
    public static ModelProto Convolution(int outputs)
    {
        GraphProto graph = new();
        AddConvolution(graph, outputs, "Y");
        return Model(graph, TensorDataType.Float, [1, Channels, Size, Size]);
    }

    /// <summary>The seed convolution, or nothing, followed by the single operator.</summary>
    public static ModelProto Fused(bool hasConvolution)
    {
        GraphProto graph = new();
        AddParameters(graph);
        string x = hasConvolution ? AddConvolution(graph, Seeds, "seeds") : "X";
        Node(graph, OperatorNames.GroupNLExpand, "Y", [x, "shift", "period"], Source()).Domain = NestQuantOps.Domain;
        return Model(graph, TensorDataType.Float, [1, hasConvolution ? Channels : Seeds, Size, Size]);
    }

    /// <summary>The seed convolution, or nothing, followed by what PyTorch exports, its constants folded.</summary>
    public static ModelProto Unfused(bool hasConvolution)
    {
        GraphProto graph = new();
        string x = hasConvolution ? AddConvolution(graph, Seeds, "seeds") : "X";
        Node(graph, "ReduceL2", "norm", [x], AttributeProto.IntList("axes", 1), AttributeProto.Int("keepdims", 1));
        graph.Initializer.Add(TensorProto.FromFloats("epsilon", [], [1e-12f]));
        Node(graph, "Clip", "clipped", ["norm", "epsilon"]);
        Node(graph, "Shape", "shape", [x]);
        Node(graph, "Expand", "expanded", ["clipped", "shape"]);
        Node(graph, "Div", "n", [x, "expanded"]);
        graph.Initializer.Add(TensorProto.FromInt64s("sizes", [Groups], [.. Enumerable.Repeat((long)Seeds / Groups, Groups)]));
        graph.Initializer.Add(TensorProto.FromInt64s("repeats", [4], [1, 1, 1, 1]));
        NodeProto split = Node(graph, "Split", "part0", ["n", "sizes"], AttributeProto.Int("axis", 1));
        for (int g = 1; g < Groups; g++)
            split.Output.Add(Invariant($"part{g}"));
        for (int g = 0; g < Groups; g++)
            Node(graph, "Tile", Invariant($"tile{g}"), [Invariant($"part{g}"), "repeats"]);
        Node(graph, "Concat", "copied", [.. Enumerable.Range(0, Groups).Select(g => Invariant($"tile{g}"))], AttributeProto.Int("axis", 1));
        graph.Initializer.Add(TensorProto.FromFloats("shift", [1, Seeds, 1, 1], PerMap(Shift)));
        graph.Initializer.Add(TensorProto.FromFloats("period", [1, Seeds, 1, 1], PerMap(Period)));
        Node(graph, "Sub", "shifted", ["copied", "shift"]);
        Node(graph, "Mul", "argument", ["shifted", "period"]);
        Node(graph, "Sin", "generated", ["argument"]);
        Node(graph, "Concat", "Y", ["n", "generated"], AttributeProto.Int("axis", 1));
        return Model(graph, TensorDataType.Float, [1, hasConvolution ? Channels : Seeds, Size, Size]);
    }

    /// <summary>The seed convolution with weights nested 8:6, alone or with its expansion.</summary>
    public static ModelProto Nested(bool isExpanded, int bits)
    {
        GraphProto graph = new();
        NestedLayout layout = new(new NestedBits(8, 6), new ChannelView(Seeds, Channels, 1, 9));
        sbyte[] high = new sbyte[layout.View.Count], low = new sbyte[layout.View.Count];
        Random random = new(3);
        for (int i = 0; i < high.Length; i++)
            (high[i], low[i]) = ((sbyte)random.Next(-31, 32), (sbyte)random.Next(-4, 4));
        byte[] highBytes = new byte[layout.HighByteLength], lowBytes = new byte[layout.LowByteLength];
        NestedPacker.Pack(layout, [high, low], [highBytes, lowBytes]);

        graph.Initializer.Add(TensorProto.FromFloats("x_scale", [], [0.02f]));
        graph.Initializer.Add(TensorProto.FromBytes("x_zero_point", TensorDataType.UInt8, [], [110]));
        graph.Initializer.Add(TensorProto.FromBytes("W_high", TensorDataType.UInt8, [highBytes.Length], highBytes));
        graph.Initializer.Add(TensorProto.FromBytes("W_low", TensorDataType.UInt8, [lowBytes.Length], lowBytes));
        graph.Initializer.Add(TensorProto.FromFloats("w_scale", [Seeds], Random(Seeds, 4, 0.001f, 0.01f)));
        graph.Initializer.Add(TensorProto.FromInt32s("bits", [], [bits]));
        string[] inputs = ["X", "x_scale", "x_zero_point", "W_high", "W_low", "w_scale", "", ""];
        NodeProto node;
        if (isExpanded)
        {
            AddParameters(graph);
            node = Node(graph, OperatorNames.NestedGroupNLConv, "Y", [.. inputs, "shift", "period", "", "", "bits"], Source());
        }
        else
        {
            node = Node(graph, OperatorNames.NestedConv, "Y", [.. inputs, "bits"]);
        }

        node.Domain = NestQuantOps.Domain;
        node.SetAttribute(AttributeProto.Int(AttributeNames.FullBits, 8));
        node.SetAttribute(AttributeProto.Int(AttributeNames.HighBits, 6));
        node.SetAttribute(AttributeProto.Int(AttributeNames.LayoutVersion, layout.Version));
        node.SetAttribute(AttributeProto.String(AttributeNames.WeightTag, WeightTag.Of(layout, highBytes, lowBytes).ToString()));
        node.SetAttribute(AttributeProto.IntList(AttributeNames.Shape, Seeds, Channels, 3, 3));
        node.SetAttribute(AttributeProto.IntList(AttributeNames.Pads, 1, 1, 1, 1));
        return Model(graph, TensorDataType.UInt8, [1, Size, Size, Channels]);
    }

    private static string AddConvolution(GraphProto graph, int outputs, string output)
    {
        float[] weight = Random(outputs * Channels * 9, 5, -0.1f, 0.1f);
        graph.Initializer.Add(TensorProto.FromFloats("W", [outputs, Channels, 3, 3], weight));
        Node(graph, "Conv", output, ["X", "W"], AttributeProto.IntList("pads", 1, 1, 1, 1));
        return output;
    }

    private static void AddParameters(GraphProto graph)
    {
        graph.Initializer.Add(TensorProto.FromFloats("shift", [Seeds], PerMap(Shift)));
        graph.Initializer.Add(TensorProto.FromFloats("period", [Seeds], PerMap(Period)));
    }

    private static AttributeProto Source() =>
        AttributeProto.IntList(AttributeNames.Source, [.. Enumerable.Range(0, Seeds).Select(g => (long)g)]);

    private static float[] PerMap(float[] perGroup) => [.. Enumerable.Range(0, Seeds).Select(map => perGroup[map * Groups / Seeds])];

    private static float[] Random(int count, int seed, float low, float high)
    {
        Random random = new(seed);
        return [.. Enumerable.Range(0, count).Select(_ => low + (high - low) * random.NextSingle())];
    }

    private static NodeProto Node(GraphProto graph, string type, string output, string[] inputs, params AttributeProto[] attributes)
    {
        NodeProto node = new() { OpType = type, Name = output };
        node.Input.AddRange(inputs);
        node.Output.Add(output);
        node.Attribute.AddRange(attributes);
        graph.Node.Add(node);
        return node;
    }

    private static ModelProto Model(GraphProto graph, TensorDataType inputType, long[] inputShape)
    {
        graph.Name = "groupnl";
        TensorShapeProto shape = new();
        shape.Dim.AddRange(inputShape.Select(d => new TensorShapeProto.Dimension { DimValue = d }));
        graph.Input.Add(Value("X", new TypeProto.Tensor { ElemType = inputType, Shape = shape }));
        graph.Output.Add(Value("Y", new TypeProto.Tensor { ElemType = TensorDataType.Float }));
        ModelProto model = new() { IrVersion = 8, Graph = graph, ProducerName = "NestQuant.Benchmarks" };
        model.OpsetImport.Add(new OperatorSetIdProto { Domain = "", Version = 17 });
        model.OpsetImport.Add(new OperatorSetIdProto { Domain = NestQuantOps.Domain, Version = NestQuantOps.Version });
        return model;
    }

    private static ValueInfoProto Value(string name, TypeProto.Tensor type) =>
        new() { Name = name, Type = new TypeProto { TensorType = type } };

    private static string Invariant(FormattableString text) => FormattableString.Invariant(text);
}
