using System.Globalization;
using System.Runtime.InteropServices;
using NestQuant.Onnx;

namespace NestQuant.Benchmarks.Models;

/// <summary>Builds a model node by node, with seeded random weights of the usual magnitude (He initialisation).</summary>
internal sealed class GraphBuilder(string name, int seed)
{
    private readonly GraphProto _graph = new() { Name = name };
    private readonly Random _random = new(seed);
    private int _values;

    /// <summary>A square convolution with "same" padding for odd kernels, and a bias.</summary>
    public string Conv(string x, int inputs, int outputs, int kernel, int stride = 1, int group = 1)
    {
        string y = NextValue("conv");
        string weight = Weight(y + ".weight", [outputs, inputs / group, kernel, kernel]);
        string bias = Weight(y + ".bias", [outputs]);
        long pad = kernel / 2;
        return Append("Conv", y, [x, weight, bias],
            AttributeProto.Int("group", group),
            AttributeProto.IntList("kernel_shape", kernel, kernel),
            AttributeProto.IntList("pads", pad, pad, pad, pad),
            AttributeProto.IntList("strides", stride, stride));
    }

    /// <summary>A fully connected layer with weight [outputs, inputs] and a bias.</summary>
    public string Gemm(string x, int inputs, int outputs)
    {
        string y = NextValue("fc");
        return Append(
            "Gemm", y, [x, Weight(y + ".weight", [outputs, inputs]), Weight(y + ".bias", [outputs])], AttributeProto.Int("transB", 1));
    }

    /// <summary>A matrix product with a weight [inputs, outputs], and a bias that is added to it.</summary>
    public string Linear(string x, int inputs, int outputs)
    {
        string product = NextValue("linear");
        Append("MatMul", product, [x, Weight(product + ".weight", [inputs, outputs], inputs)]);
        return Add(product, Weight(product + ".bias", [outputs]));
    }

    public string Relu(string x) => Op("Relu", x);

    /// <summary>The activation of MobileNet, min(max(x, 0), 6).</summary>
    public string Relu6(string x)
    {
        if (_graph.Initializer.TrueForAll(static tensor => tensor.Name != "zero"))
        {
            _graph.Initializer.Add(TensorProto.FromFloats("zero", [], [0f]));
            _graph.Initializer.Add(TensorProto.FromFloats("six", [], [6f]));
        }

        return Append("Clip", NextValue("clip"), [x, "zero", "six"]);
    }

    /// <summary>A leaky activation with a slope for every channel.</summary>
    public string PRelu(string x, int channels)
    {
        string y = NextValue("prelu");
        return Append("PRelu", y, [x, Weight(y + ".slope", [channels, 1, 1], weightsPerOutput: 64)]);
    }

    public string Add(string a, string b) => Append("Add", NextValue("add"), [a, b]);

    /// <summary>A node with one input and one output.</summary>
    public string Op(string type, string x, params ReadOnlySpan<AttributeProto> attributes) =>
        Append(type, NextValue(type.ToLowerInvariant()), [x], attributes);

    /// <summary>The finished model; a dimension of -1 is the symbolic batch.</summary>
    public ModelProto Build(ReadOnlySpan<long> inputShape, string output, ReadOnlySpan<long> outputShape)
    {
        _graph.Input.Add(Value("input", inputShape));
        _graph.Output.Add(Value(output, outputShape));
        var model = new ModelProto { IrVersion = 8, Graph = _graph, ProducerName = "NestQuant.Benchmarks" };
        model.OpsetImport.Add(new OperatorSetIdProto { Domain = "", Version = 17 });
        return model;
    }

    private string Append(string type, string output, ReadOnlySpan<string> inputs, params ReadOnlySpan<AttributeProto> attributes)
    {
        var node = new NodeProto { OpType = type, Name = output };
        node.Input.AddRange(inputs);
        node.Output.Add(output);
        node.Attribute.AddRange(attributes);
        _graph.Node.Add(node);
        return output;
    }

    private string Weight(string name, long[] dims) =>
        Weight(name, dims, dims.Aggregate(1L, static (product, dim) => product * dim) / dims[0]);

    private string Weight(string name, long[] dims, long weightsPerOutput)
    {
        long count = dims.Aggregate(1L, static (product, dim) => product * dim);
        var bytes = new byte[count * sizeof(float)];
        // A sum of uniform numbers is close enough to a normal distribution, and much faster to draw.
        float scale = MathF.Sqrt(2f / weightsPerOutput) * MathF.Sqrt(3);
        foreach (ref float weight in MemoryMarshal.Cast<byte, float>(bytes.AsSpan()))
            weight = scale * ((_random.NextSingle() + _random.NextSingle() + _random.NextSingle() + _random.NextSingle()) - 2);
        _graph.Initializer.Add(TensorProto.FromBytes(name, TensorDataType.Float, dims, bytes));
        return name;
    }

    private string NextValue(string stem) => string.Create(CultureInfo.InvariantCulture, $"{stem}{_values++}");

    private static ValueInfoProto Value(string name, ReadOnlySpan<long> dims)
    {
        var shape = new TensorShapeProto();
        foreach (long dim in dims)
            shape.Dim.Add(
                dim < 0 ? new TensorShapeProto.Dimension { DimParam = "batch" } : new TensorShapeProto.Dimension { DimValue = dim });
        return new ValueInfoProto
        {
            Name = name,
            Type = new TypeProto { TensorType = new TypeProto.Tensor { ElemType = TensorDataType.Float, Shape = shape } },
        };
    }
}
