using NestQuant.Onnx;
using NestQuant.TestSupport;

namespace NestQuant.Passes.Tests.Integer;

/// <summary>Small networks with the structure of well-known ones, seeded weights, and the input "input".</summary>
internal sealed class StaticNetworks
{
    private readonly GraphBuilder _graph;
    private int _next;

    private StaticNetworks(params long[] input) =>
        _graph = new GraphBuilder().Input("input", input).Floats("zero", [], 0).Floats("six", [], 6);

    /// <summary>All of them by name.</summary>
    public static IReadOnlyDictionary<string, Func<ModelProto>> All { get; } = new Dictionary<string, Func<ModelProto>>(
        StringComparer.Ordinal)
    {
        ["ResNet-50"] = ResNet50,
        ["MobileNetV3"] = MobileNetV3,
        ["EfficientNet"] = EfficientNet,
        ["Inception"] = Inception,
        ["VGG"] = Vgg,
        ["U-Net"] = UNet,
        ["decoder"] = Decoder,
        ["MobileFaceNet"] = MobileFaceNet,
    };

    /// <summary>ResNet-50: stem, max-pool, bottleneck blocks [3, 4, 6, 3] with projections, global average pool, classifier.</summary>
    public static ModelProto ResNet50()
    {
        var net = new StaticNetworks(1, 3, 32, 32);
        string x = net.Op("Relu", net.Conv("input", 3, 8, 7, 2));
        x = net.Op("MaxPool", x, Ints("kernel_shape", 3, 3), Ints("strides", 2, 2), Ints("pads", 1, 1, 1, 1));
        int channels = 8;
        int[] blocks = [3, 4, 6, 3];
        for (int stage = 0; stage < blocks.Length; stage++)
        {
            int width = 4 << stage;
            for (int block = 0; block < blocks[stage]; block++)
            {
                int stride = block == 0 && stage > 0 ? 2 : 1;
                string shortcut = block == 0 ? net.Conv(x, channels, 4 * width, 1, stride) : x;
                string y = net.Op("Relu", net.Conv(x, channels, width, 1));
                y = net.Op("Relu", net.Conv(y, width, width, 3, stride));
                x = net.Op("Relu", net.Op("Add", net.Conv(y, width, 4 * width, 1), shortcut));
                channels = 4 * width;
            }
        }

        return net.Classified(net.Op("Flatten", net.Op("GlobalAveragePool", x)), channels);
    }

    /// <summary>Inverted residuals with squeeze-and-excite and HardSwish, as in MobileNetV3.</summary>
    public static ModelProto MobileNetV3()
    {
        var net = new StaticNetworks(1, 3, 16, 16);
        string x = net.Op("HardSwish", net.Conv("input", 3, 16, 3, 2));
        for (int block = 0; block < 2; block++)
        {
            string y = net.Op("HardSwish", net.Conv(x, 16, 32, 1));
            y = net.Op("HardSwish", net.Conv(y, 32, 32, 3, 1, 32));
            string gate = net.Op("Relu", net.Conv(net.Op("GlobalAveragePool", y), 32, 8, 1));
            y = net.Op("Mul", y, net.Op("HardSigmoid", net.Conv(gate, 8, 32, 1)));
            x = net.Op("Add", net.Conv(y, 32, 16, 1), x);
        }

        return net.Classified(net.Op("Flatten", net.Op("GlobalAveragePool", x)), 16);
    }

    /// <summary>
    /// Squeeze-and-excite through fully connected layers, whose result is reshaped to a gate; SiLU; pooling by ReduceMean.
    /// </summary>
    public static ModelProto EfficientNet()
    {
        var net = new StaticNetworks(1, 3, 16, 16);
        net._graph.Int64s("gate_shape", -1, 16, 1, 1);
        string x = net.Silu(net.Conv("input", 3, 16, 3, 2));
        string pooled = net.Op("ReduceMean", x, Ints("axes", 2, 3), AttributeProto.Int("keepdims", 0));
        string gate = net.Op("Sigmoid", net.Gemm(net.Silu(net.Gemm(pooled, 16, 8)), 8, 16));
        x = net.Op("Mul", x, net.Op("Reshape", gate, "gate_shape"));
        x = net.Silu(net.Conv(x, 16, 24, 1));
        return net.Classified(net.Op("ReduceMean", x, Ints("axes", 2, 3), AttributeProto.Int("keepdims", 0)), 24);
    }

    /// <summary>Branches, pooling inside a branch, concatenation, and dense connections.</summary>
    public static ModelProto Inception()
    {
        var net = new StaticNetworks(1, 3, 12, 12);
        string x = net.Op("Relu", net.Conv("input", 3, 8, 3));
        string a = net.Op("Relu", net.Conv(x, 8, 8, 1)), b = net.Op("Relu", net.Conv(x, 8, 12, 3));
        string c = net.Op("Relu", net.Conv(net.Op("MaxPool", x, Ints("kernel_shape", 3, 3), Ints("pads", 1, 1, 1, 1)), 8, 4, 1));
        string d = net.Conv(net.Op("AveragePool", x, Ints("kernel_shape", 3, 3), Ints("pads", 1, 1, 1, 1)), 8, 4, 1);
        x = net.Concat(a, b, c, d);
        x = net.Concat(x, net.Op("Relu", net.Conv(x, 28, 4, 3)));
        x = net.Op("AveragePool", x, Ints("kernel_shape", 2, 2), Ints("strides", 2, 2));
        return net.Classified(net.Op("Flatten", net.Op("GlobalAveragePool", net.Conv(x, 32, 16, 1))), 16);
    }

    /// <summary>Convolutions and max-pools, then a classifier that reads all positions.</summary>
    public static ModelProto Vgg()
    {
        var net = new StaticNetworks(1, 3, 8, 8);
        string x = net.Op("MaxPool", net.Op("Relu", net.Conv("input", 3, 8, 3)), Ints("kernel_shape", 2, 2), Ints("strides", 2, 2));
        x = net.Op("MaxPool", net.Op("Relu", net.Conv(x, 8, 16, 3)), Ints("kernel_shape", 2, 2), Ints("strides", 2, 2));
        return net.Classified(net.Op("Relu", net.Gemm(net.Op("Flatten", x), 64, 32)), 32);
    }

    /// <summary>An encoder and a decoder with nearest upsampling, padding and a skip connection; the output is a map.</summary>
    public static ModelProto UNet()
    {
        var net = new StaticNetworks(1, 3, 12, 12);
        net._graph.Floats("twice", [4], 1, 1, 2, 2).Int64s("around", 0, 0, 1, 1, 0, 0, 1, 1);
        string skip = net.Op("Relu", net.Conv("input", 3, 8, 3));
        string x = net.Op("Relu", net.Conv(net.Op("MaxPool", skip, Ints("kernel_shape", 2, 2), Ints("strides", 2, 2)), 8, 12, 3));
        x = net.Append("Resize", [x, "", "twice"], AttributeProto.String("mode", "nearest"));
        x = net.Op("LeakyRelu", net.Conv(net.Concat(x, skip), 20, 8, 3));
        x = net.Op("Pad", x, "around");
        net._graph.Output(net.Conv(x, 8, 2, 1));
        return net._graph.Model();
    }

    /// <summary>A U-Net whose decoder learns its upsampling, of every usual kernel, and interpolates at the end.</summary>
    public static ModelProto Decoder()
    {
        var net = new StaticNetworks(1, 3, 16, 16);
        // Thirds are never half way between two integers, which float rounds either way.
        net._graph.Floats("thrice", [4], 1, 1, 3, 3);
        string skip = net.Op("Relu", net.Conv("input", 3, 8, 3, 2));
        string x = net.Op("Relu", net.Conv(net.Op("Relu", net.Conv(skip, 8, 12, 3, 2)), 12, 16, 3, 2));
        x = net.Op("Relu", net.Transposed(x, 16, 12, 4, Ints("pads", 1, 1, 1, 1)));
        x = net.Op("Relu", net.Transposed(x, 12, 8, 2));
        x = net.Transposed(net.Concat(x, skip), 16, 8, 3, Ints("pads", 1, 1, 1, 1), Ints("output_padding", 1, 1));
        x = net.Append("Resize", [x, "", "thrice"], AttributeProto.String("mode", "linear"));
        net._graph.Output(net.Conv(x, 8, 2, 1));
        return net._graph.Model();
    }

    /// <summary>Convolutions and depthwise convolutions with PRelu throughout, as in MobileFaceNet, and a scale without Conv.</summary>
    public static ModelProto MobileFaceNet()
    {
        var net = new StaticNetworks(1, 3, 12, 12);
        string x = net.PRelu(net.Conv("input", 3, 8, 3, 2), 8);
        for (int block = 0; block < 2; block++)
        {
            string y = net.PRelu(net.Conv(x, 8, 16, 1), 16);
            y = net.PRelu(net.Conv(y, 16, 16, 3, 1, 16), 16);
            x = net.Op("Add", net.Conv(y, 16, 8, 1), x);
        }

        x = net.Append("Mul", [x, net.Weight(8, 1, 1)]);
        x = net.PRelu(net.Append("Add", [x, net.Weight(8, 1, 1)]), 8);
        return net.Classified(net.Op("Flatten", net.Op("GlobalAveragePool", net.Conv(x, 8, 16, 1))), 16);
    }

    private string PRelu(string x, int channels) => Append("PRelu", [x, Weight(channels, 1, 1)]);

    private string Silu(string x) => Op("Mul", x, Op("Sigmoid", x));

    private ModelProto Classified(string x, int channels)
    {
        _graph.Output(Gemm(x, channels, 10));
        return _graph.Model();
    }

    private string Conv(string x, int inputs, int outputs, int kernel, int stride = 1, int group = 1)
    {
        string weight = Weight(outputs, inputs / group, kernel, kernel), bias = Weight(outputs);
        long pad = kernel / 2;
        return Append(
            "Conv",
            [x, weight, bias],
            AttributeProto.Int("group", group),
            Ints("pads", pad, pad, pad, pad),
            Ints("strides", stride, stride));
    }

    private string Transposed(string x, int inputs, int outputs, int kernel, params AttributeProto[] attributes) => Append(
        "ConvTranspose", [x, Weight(inputs, outputs, kernel, kernel), Weight(outputs)], [Ints("strides", 2, 2), .. attributes]);

    private string Gemm(string x, int inputs, int outputs) => Append("Gemm", [x, Weight(inputs, outputs), Weight(outputs)]);

    private string Concat(params string[] values) => Append("Concat", values, AttributeProto.Int("axis", 1));

    private string Op(string type, string x, params AttributeProto[] attributes) => Append(type, [x], attributes);

    private string Op(string type, string a, string b) => Append(type, [a, b]);

    private string Append(string type, string[] inputs, params AttributeProto[] attributes)
    {
        string output = $"v{_next++}";
        _graph.Node($"{output} = {type}({string.Join(", ", inputs)})", attributes);
        return output;
    }

    private string Weight(params long[] dims)
    {
        string name = $"w{_next++}";
        _graph.Random(name, dims);
        // Weights of this size keep the spread of the activations about the same from layer to layer.
        float size = dims.Length == 1
            ? 0.1f
            : MathF.Sqrt(4f / (dims.Length == 2 ? dims[0] : dims[1..].Aggregate(1L, static (product, extent) => product * extent)));
        TensorProto tensor = _graph.Graph.Initializer[^1];
        _graph.Graph.Initializer[^1] = TensorProto.FromFloats(name, dims, Array.ConvertAll(tensor.ToFloats(), value => value * size));
        return name;
    }

    private static AttributeProto Ints(string name, params long[] values) => AttributeProto.IntList(name, values);
}
