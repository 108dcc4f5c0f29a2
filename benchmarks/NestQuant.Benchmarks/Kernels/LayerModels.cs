using NestQuant.Onnx;
using NestQuant.RuntimeOps;
using NestQuant.RuntimeOps.Operators;
using NestQuant.RuntimeOps.Packing;
using NestQuant.RuntimeOps.Schema;

namespace NestQuant.Benchmarks.Kernels;

/// <summary>
/// One layer with one set of integer weights, as the models that compete. Weights are normally distributed, as trained ones nearly are.
/// </summary>
internal sealed class LayerModels
{
    private const float XScale = 0.02f, YScale = 0.05f;
    private const byte XZeroPoint = 110, YZeroPoint = 120;

    private readonly LayerShape _shape;
    private readonly NestedLayout _layout;
    private readonly sbyte[] _weights;
    private readonly byte[][] _operands;
    private readonly float[] _scales;

    /// <summary>Draws the layer's weights.</summary>
    /// <param name="shape">The layer.</param>
    /// <param name="bits">The levels of the nested models; n is 8.</param>
    public LayerModels(LayerShape shape, NestedBits bits)
    {
        _shape = shape;
        _layout = new NestedLayout(bits, new ChannelView(shape.Outputs, shape.Inputs / shape.Groups, 1, shape.Kernel * shape.Kernel));
        Random random = new(3);
        _weights = new sbyte[_layout.View.Count];
        sbyte[][] values = [.. Enumerable.Range(0, bits.Count).Select(_ => new sbyte[_weights.Length])];
        for (int i = 0; i < _weights.Length; i++)
        {
            // A channel's largest weight is 127 at about 3.5 standard deviations.
            double normal = Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
            _weights[i] = (sbyte)Math.Clamp(Math.Round(normal * 36), -127, 127);
            Nest(_weights[i], values, i);
        }

        _operands = [.. Enumerable.Range(0, bits.Count).Select(step => new byte[_layout.ByteLength(step)])];
        NestedPacker.Pack(_layout, values, _operands);
        _scales = [.. Enumerable.Range(0, shape.Outputs).Select(_ => 0.001f + 0.002f * random.NextSingle())];
    }

    private long[] ChannelsLast => _shape.IsProduct
        ? [_shape.Width, _shape.Inputs]
        : [1, _shape.Height, _shape.Width, _shape.Inputs];

    private long[] FloatInput => _shape.IsProduct ? ChannelsLast : [1, _shape.Inputs, _shape.Height, _shape.Width];

    private long[] WeightShape => _shape.IsProduct
        ? [_shape.Inputs, _shape.Outputs]
        : [_shape.Outputs, _shape.Inputs / _shape.Groups, _shape.Kernel, _shape.Kernel];

    /// <summary>NestedQLinearConv or NestedQLinearGemm alone.</summary>
    public ModelProto Nested(int bits)
    {
        GraphProto graph = Quantization();
        string[] operands = AddOperands(graph, bits);
        string[] inputs =
        [
            "X", "x_scale", "x_zero_point", .. operands[..2], "w_scale", "", "", "y_scale", "y_zero_point", "bits", "", "",
            .. operands[2..],
        ];
        AddNested(graph, _shape.IsProduct ? OperatorNames.NestedQLinearGemm : OperatorNames.NestedQLinearConv, inputs);
        return Model(graph, TensorDataType.UInt8, ChannelsLast, TensorDataType.UInt8);
    }

    /// <summary>NestedFloatConv or NestedFloatGemm alone.</summary>
    public ModelProto WeightOnly(int bits)
    {
        GraphProto graph = new();
        string[] operands = AddOperands(graph, bits);
        graph.Initializer.Add(TensorProto.FromFloats("w_scale", [_shape.Outputs], _scales));
        string[] inputs = ["X", .. operands[..2], "w_scale", "", "", "bits", "", "", .. operands[2..]];
        AddNested(graph, _shape.IsProduct ? OperatorNames.NestedFloatGemm : OperatorNames.NestedFloatConv, inputs);
        return Model(graph, TensorDataType.Float, FloatInput, TensorDataType.Float);
    }

    /// <summary>
    /// QuantizeLinear and DequantizeLinear around the float operator, for ONNX Runtime to fuse. X and Y are uint8 and channels last, as its
    /// own QLinearConv wants them: its layout optimizer cancels the model's transposes, and what is left is that one operator.
    /// </summary>
    public ModelProto QuantizeDequantize()
    {
        GraphProto graph = Quantization();
        graph.Initializer.Add(
            TensorProto.FromBytes("W_int", TensorDataType.Int8, WeightShape, [.. WeightOrder().Select(i => (byte)_weights[i])]));
        graph.Initializer.Add(TensorProto.FromBytes("w_zero_point", TensorDataType.Int8, [_shape.Outputs], new byte[_shape.Outputs]));
        Node(graph, "DequantizeLinear", "W", ["W_int", "w_scale", "w_zero_point"], AttributeProto.Int("axis", _shape.IsProduct ? 1 : 0));
        string x = "X";
        if (!_shape.IsProduct)
            x = Node(graph, "Transpose", "X_first", [x], AttributeProto.IntList("perm", 0, 3, 1, 2)).Output[0];
        Node(graph, "DequantizeLinear", "x", [x, "x_scale", "x_zero_point"]);
        AddFloatOperator(graph, "x", "y");
        string y = _shape.IsProduct ? "Y" : "Y_first";
        Node(graph, "QuantizeLinear", y, ["y", "y_scale", "y_zero_point"]);
        if (!_shape.IsProduct)
            Node(graph, "Transpose", "Y", [y], AttributeProto.IntList("perm", 0, 2, 3, 1));
        return Model(graph, TensorDataType.UInt8, ChannelsLast, TensorDataType.UInt8);
    }

    /// <summary>The float operator alone, channels first.</summary>
    public ModelProto Float()
    {
        GraphProto graph = new();
        int perChannel = _layout.View.WeightsPerChannel;
        graph.Initializer.Add(
            TensorProto.FromFloats("W", WeightShape, [.. WeightOrder().Select(i => _weights[i] * _scales[i / perChannel])]));
        AddFloatOperator(graph, "X", "Y");
        return Model(graph, TensorDataType.Float, FloatInput, TensorDataType.Float);
    }

    /// <summary>Adds the operands and the precision to a graph; returns the operands' names.</summary>
    private string[] AddOperands(GraphProto graph, int bits)
    {
        string[] operands = [.. _operands.Select(static (_, step) => step == 0 ? InputNames.WeightHigh : InputNames.WeightStep(step))];
        foreach ((string name, byte[] operand) in operands.Zip(_operands))
            graph.Initializer.Add(TensorProto.FromBytes(name, TensorDataType.UInt8, [operand.Length], operand));
        graph.Initializer.Add(TensorProto.FromInt32s("bits", [], [bits]));
        return operands;
    }

    private void AddNested(GraphProto graph, string type, string[] inputs)
    {
        NodeProto node = Node(graph, type, "Y", inputs);
        node.Domain = NestQuantOps.Domain;
        NestedBits levels = _layout.Bits;
        node.SetAttribute(AttributeProto.Int(AttributeNames.FullBits, levels.Full));
        node.SetAttribute(AttributeProto.Int(AttributeNames.HighBits, levels.High));
        if (levels.Count > 2)
            node.SetAttribute(AttributeProto.IntList(AttributeNames.Levels, [.. levels.Levels.Select(static level => (long)level)]));
        node.SetAttribute(AttributeProto.Int(AttributeNames.LayoutVersion, _layout.Version));
        WeightTag tag = WeightTag.Of(_layout, [.. _operands.Select(static operand => (ReadOnlyMemory<byte>)operand)]);
        node.SetAttribute(AttributeProto.String(AttributeNames.WeightTag, tag.ToString()));
        if (_shape.IsProduct)
        {
            node.SetAttribute(AttributeProto.IntList(AttributeNames.Shape, _shape.Outputs, _shape.Inputs));
            node.SetAttribute(AttributeProto.IntList(AttributeNames.ChannelView, _shape.Outputs, _shape.Inputs, 1, 1));
        }
        else
        {
            node.SetAttribute(AttributeProto.IntList(AttributeNames.Shape, WeightShape));
            node.Attribute.AddRange(ConvAttributes());
        }
    }

    /// <summary>Rounds a weight level by level.</summary>
    private void Nest(int weight, sbyte[][] values, int position)
    {
        NestedBits bits = _layout.Bits;
        for (int step = bits.Count - 1; step > 0; step--)
        {
            int below = bits.LevelOfStep(step - 1), shift = bits.LevelOfStep(step) - below, limit = 1 << (below - 1);
            int rounded = Math.Clamp((int)Math.Round(weight / (double)(1 << shift)), -limit, limit - 1);
            values[step][position] = (sbyte)(weight - (rounded << shift));
            weight = rounded;
        }

        values[0][position] = (sbyte)weight;
    }

    /// <summary>
    /// Positions, in the weights' own order [Outputs, Inputs...], of the operator's weights: MatMul's matrix is [Inputs, Outputs].
    /// </summary>
    private IEnumerable<int> WeightOrder() => _shape.IsProduct
        ? Enumerable.Range(0, _weights.Length).Select(i => i % _shape.Outputs * _shape.Inputs + i / _shape.Outputs)
        : Enumerable.Range(0, _weights.Length);

    private void AddFloatOperator(GraphProto graph, string x, string y)
    {
        if (_shape.IsProduct)
            Node(graph, "MatMul", y, [x, "W"]);
        else
            Node(graph, "Conv", y, [x, "W"], ConvAttributes());
    }

    private AttributeProto[] ConvAttributes() =>
    [
        AttributeProto.Int(AttributeNames.Group, _shape.Groups),
        AttributeProto.IntList(AttributeNames.Strides, _shape.Stride, _shape.Stride),
        AttributeProto.IntList(AttributeNames.Pads, _shape.Pad, _shape.Pad, _shape.Pad, _shape.Pad),
    ];

    private GraphProto Quantization()
    {
        GraphProto graph = new();
        graph.Initializer.Add(TensorProto.FromFloats("x_scale", [], [XScale]));
        graph.Initializer.Add(TensorProto.FromBytes("x_zero_point", TensorDataType.UInt8, [], [XZeroPoint]));
        graph.Initializer.Add(TensorProto.FromFloats("w_scale", [_shape.Outputs], _scales));
        graph.Initializer.Add(TensorProto.FromFloats("y_scale", [], [YScale]));
        graph.Initializer.Add(TensorProto.FromBytes("y_zero_point", TensorDataType.UInt8, [], [YZeroPoint]));
        return graph;
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

    private static ModelProto Model(GraphProto graph, TensorDataType inputType, long[] inputShape, TensorDataType outputType)
    {
        graph.Name = "layer";
        TensorShapeProto shape = new();
        shape.Dim.AddRange(inputShape.Select(d => new TensorShapeProto.Dimension { DimValue = d }));
        graph.Input.Add(Value("X", new TypeProto.Tensor { ElemType = inputType, Shape = shape }));
        graph.Output.Add(Value("Y", new TypeProto.Tensor { ElemType = outputType }));
        ModelProto model = new() { IrVersion = 8, Graph = graph, ProducerName = "NestQuant.Benchmarks" };
        model.OpsetImport.Add(new OperatorSetIdProto { Domain = "", Version = 17 });
        model.OpsetImport.Add(new OperatorSetIdProto { Domain = NestQuantOps.Domain, Version = NestQuantOps.Version });
        return model;
    }

    private static ValueInfoProto Value(string name, TypeProto.Tensor type) =>
        new() { Name = name, Type = new TypeProto { TensorType = type } };
}
