using Microsoft.ML.OnnxRuntime;
using NestQuant.Onnx;
using NestQuant.Onnx.Files;
using NestQuant.RuntimeOps.Kernels.Convolutions;
using NestQuant.RuntimeOps.Tests.Kernels.Convolutions;
using NestQuant.TestSupport;

namespace NestQuant.RuntimeOps.Tests.Operators;

/// <summary>Models that lie. Each must end in an ONNX Runtime error that names the node, at load or at the first run.</summary>
public class OperatorErrorTests
{
    public static TheoryData<string, string> BadConvolutions() => Names(ConvolutionFaults);

    public static TheoryData<string, string> BadProducts() => Names(ProductFaults);

    public static TheoryData<string, string> BadQuantizedOutputs() => Names(QuantizedOutputFaults);

    public static TheoryData<string, string> BadDequantizations() => Names(DequantizationFaults);

    [Theory]
    [MemberData(nameof(BadConvolutions))]
    public void A_bad_convolution_is_an_error_that_names_the_node(string fault, string expected)
    {
        ConvolutionCase c = NestedModels.SmallConv();
        NodeModel model = NestedModels.Conv(c);
        ConvolutionFaults[fault].Apply(model);
        Expect(expected, model, ("X", SessionRuns.Tensor(c.X, 1, 6, 5, 3)));
    }

    [Theory]
    [MemberData(nameof(BadProducts))]
    public void A_bad_product_is_an_error_that_names_the_node(string fault, string expected)
    {
        ConvolutionCase c = NestedModels.SmallGemm(3);
        NodeModel model = NestedModels.Gemm(c, 3, 20);
        ProductFaults[fault].Apply(model);
        Expect(expected, model, ("X", SessionRuns.Tensor(c.X, 3, 20)));
    }

    [Theory]
    [MemberData(nameof(BadQuantizedOutputs))]
    public void A_bad_quantized_output_is_an_error_that_names_the_node(string fault, string expected)
    {
        ConvolutionCase c = NestedModels.SmallConv();
        NodeModel convolution = NestedModels.QLinearConv(c, new Requantization(1, 0));
        QuantizedOutputFaults[fault].Apply(convolution);
        Expect(expected, convolution, ("X", SessionRuns.Tensor(c.X, 1, 6, 5, 3)));

        ConvolutionCase p = NestedModels.SmallGemm(3);
        NodeModel product = NestedModels.QLinearGemm(p, new Requantization(1, 0), 3, 20);
        QuantizedOutputFaults[fault].Apply(product);
        Expect(expected, product, ("X", SessionRuns.Tensor(p.X, 3, 20)));
    }

    [Theory]
    [MemberData(nameof(BadDequantizations))]
    public void A_bad_dequantization_is_an_error_that_names_the_node(string fault, string expected)
    {
        ConvolutionCase c = NestedModels.SmallGemm(3);
        NodeModel model = NestedModels.DequantizeLinear(c.Layout, c.HighBytes, c.LowBytes, c.WScale, null, 7, 20);
        DequantizationFaults[fault].Apply(model);
        Expect(expected, model);
    }

    [Theory]
    [InlineData(new long[] { 1, 6, 5, 4 })]
    [InlineData(new long[] { 1, 5, 3 })]
    [InlineData(new long[] { 1, 6, 5, 3, 1 })]
    [InlineData(new long[] { 1, 0, 5, 3 })]
    public void An_image_that_does_not_fit_the_weight_is_refused(long[] shape)
    {
        NodeModel model = NestedModels.Conv(NestedModels.SmallConv());
        ModelProto proto = model.Build();
        proto.Graph!.Input.First(i => i.Name == "X").Type!.TensorType!.Shape = null;
        using InferenceSession session = NodeModel.Open(ModelFile.ToBytes(proto), 1);
        string message = RunFails(session, ("X", SessionRuns.Tensor(new byte[shape.Aggregate(1L, (a, b) => a * b)], shape)));
        Assert.Contains("subject", message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("X", TensorDataType.UInt8)]
    [InlineData("W_high", TensorDataType.UInt8)]
    [InlineData("w_scale", TensorDataType.Float)]
    [InlineData("bits", TensorDataType.Int32)]
    [InlineData("x_scale", TensorDataType.Float)]
    [InlineData("x_zero_point", TensorDataType.UInt8)]
    public void A_required_input_that_nobody_fed_is_an_error(string input, TensorDataType type)
    {
        ConvolutionCase c = NestedModels.SmallConv();
        ModelProto proto = NestedModels.Conv(c).Build();
        proto.Graph!.Initializer.RemoveAll(t => t.Name == input);
        proto.Graph.Input.RemoveAll(i => i.Name == input);
        proto.Graph.Input.Add(
            new ValueInfoProto { Name = input, Type = new TypeProto { TensorType = new TypeProto.Tensor { ElemType = type } } });
        using InferenceSession session = NodeModel.Open(ModelFile.ToBytes(proto), 1);
        string message = input == "X"
            ? RunFails(session, ("bits", SessionRuns.Tensor<int>([8])))
            : RunFails(session, ("X", SessionRuns.Tensor(c.X, 1, 6, 5, 3)));
        Assert.Contains($"input '{input}' has no value", message, StringComparison.Ordinal);
        Assert.Contains("subject", message, StringComparison.Ordinal);
    }

    /// <summary>Runs and returns the error's text.</summary>
    internal static string RunFails(InferenceSession session, params (string Name, OrtValue Value)[] inputs) =>
        Assert.Throws<OnnxRuntimeException>(() => session.Run(inputs)).Message;

    internal static void Expect(string expected, NodeModel model, params (string Name, OrtValue Value)[] inputs)
    {
        string message = Assert.Throws<OnnxRuntimeException>(() =>
        {
            using InferenceSession session = model.Open();
            session.Run(inputs);
        }).Message;
        Assert.Contains(expected, message, StringComparison.Ordinal);
        Assert.Contains("subject", message, StringComparison.Ordinal);
    }

    internal static TheoryData<string, string> Names(Dictionary<string, (string Expected, Action<NodeModel> Apply)> faults)
    {
        TheoryData<string, string> names = [];
        foreach ((string name, (string expected, _)) in faults)
            names.Add(name, expected);
        return names;
    }

    private static readonly Dictionary<string, (string Expected, Action<NodeModel> Apply)> ConvolutionFaults = new()
    {
        ["no n"] = ("'n' is missing", m => m.Without("n")),
        ["no h"] = ("'h' is missing", m => m.Without("h")),
        ["no layout version"] = ("'layout_version' is missing", m => m.Without("layout_version")),
        ["newer layout"] = ("layout_version is 3", m => m.With(AttributeProto.Int("layout_version", 3))),
        ["no such layout"] = ("layout_version is 0", m => m.With(AttributeProto.Int("layout_version", 0))),
        ["layout beyond 32 bits"] = ("layout_version is 4294967298", m => m.With(AttributeProto.Int("layout_version", (1L << 32) + 2))),
        ["older layout than the operands"] = ("'W_high' has", m => m.With(AttributeProto.Int("layout_version", 1))),
        ["no tag"] = ("'weight_tag' is ''", m => m.Without("weight_tag")),
        ["short tag"] = ("'weight_tag' is '12'", m => m.With(AttributeProto.String("weight_tag", "12"))),
        ["tag in capitals"] = ("'weight_tag' is 'ABCDEF0123456789'", m => m.With(AttributeProto.String("weight_tag", "ABCDEF0123456789"))),
        ["tag is an int"] = ("'weight_tag' is not a string", m => m.With(AttributeProto.Int("weight_tag", 12))),
        ["n is a float"] = ("'n' is missing or not an int", m => m.With(AttributeProto.Float("n", 8))),
        ["9:4"] = ("9:4", m => m.With(AttributeProto.Int("n", 9)).With(AttributeProto.Int("h", 4))),
        ["8:8"] = ("8:8", m => m.With(AttributeProto.Int("h", 8))),
        ["8:1"] = ("8:1", m => m.With(AttributeProto.Int("h", 1))),
        ["n beyond 32 bits"] = ("not valid", m => m.With(AttributeProto.Int("n", (1L << 32) + 8))),
        ["no shape"] = ("'shape' is missing", m => m.Without("shape")),
        ["shape of zero"] = ("dimension 0", m => m.With(AttributeProto.IntList("shape", 4, 3, 0, 3))),
        ["negative shape"] = ("dimension -3", m => m.With(AttributeProto.IntList("shape", 4, -3, 3, 3))),
        ["shape that overflows"] = ("too many elements", m => m.With(AttributeProto.IntList("shape", 1 << 30, 1 << 30, 1 << 30, 1 << 30))),
        ["shape too large for an operand"] = ("too large", m => m.With(AttributeProto.IntList("shape", 4, 1 << 30, 3, 3))),
        ["three spatial axes"] = ("dimensions", m => m.With(AttributeProto.IntList("shape", 4, 3, 3, 3, 1))),
        ["shape larger than the operands"] = (
            "'W_high' has", m => m.With(AttributeProto.IntList("shape", 4, 3, 3, 4)).With(AttributeProto.IntList("pads", 1, 1, 1, 2))),
        ["other bits than the operands"] = ("'W_high' has", m => m.With(AttributeProto.Int("h", 5))),
        ["high too short"] = ("'W_high' has", m => m.Constant(Bytes("W_high", 100))),
        ["high too long"] = ("'W_high' has", m => m.Constant(Bytes("W_high", 27 * 24 + 8 + 16 + 1))),
        ["low too short"] = ("'W_low' has", m => m.Constant(Bytes("W_low", 27 * 12))),
        ["low empty"] = ("'W_low' has", m => m.Constant(Bytes("W_low", 0))),
        ["low missing at full precision"] = ("W_low is missing", m => m.Absent("W_low")),
        ["scale too short"] = ("'w_scale' has 3", m => m.Constant(TensorProto.FromFloats("w_scale", [3], [1, 1, 1]))),
        ["scale of zero"] = ("w_scale[2] is 0", m => m.Constant(TensorProto.FromFloats("w_scale", [4], [1, 1, 0, 1]))),
        ["negative scale"] = ("w_scale[0] is -1", m => m.Constant(TensorProto.FromFloats("w_scale", [4], [-1, 1, 1, 1]))),
        ["scale not a number"] = ("w_scale[3] is NaN", m => m.Constant(TensorProto.FromFloats("w_scale", [4], [1, 1, 1, float.NaN]))),
        ["infinite scale"] = ("w_scale[3] is", m => m.Constant(TensorProto.FromFloats("w_scale", [4], [1, 1, 1, float.PositiveInfinity]))),
        ["x scale of zero"] = ("x_scale is 0", m => m.Constant(TensorProto.FromFloats("x_scale", [], [0]))),
        ["x scale per channel"] = ("'x_scale' has 2", m => m.Constant(TensorProto.FromFloats("x_scale", [2], [1, 1]))),
        ["x zero point per channel"] = ("'x_zero_point' has 3", m => m.Constant(Bytes("x_zero_point", 3))),
        ["zero points too short"] = ("'w_zero_point' has 1", m => m.Constant(TensorProto.FromInt32s("w_zero_point", [1], [1]))),
        ["bias too long"] = ("'B' has 5", m => m.Constant(TensorProto.FromFloats("B", [5], [1, 1, 1, 1, 1]))),
        ["bits of two"] = ("'bits' has 2", m => m.Default(TensorProto.FromInt32s("bits", [2], [8, 8]))),
        ["group of zero"] = ("'group' is 0", m => m.With(AttributeProto.Int("group", 0))),
        ["group that does not divide"] = ("'group' is 3", m => m.With(AttributeProto.Int("group", 3))),
        ["group is a string"] = ("'group' is not an int", m => m.With(AttributeProto.String("group", "1"))),
        ["group is a float"] = ("'group' is not an int", m => m.With(AttributeProto.Float("group", 1))),
        ["other channels"] = ("[N, H, W, 6] expected", m => m.With(AttributeProto.Int("group", 2))),
        ["stride of zero"] = ("'strides'", m => m.With(AttributeProto.IntList("strides", 0, 1))),
        ["one stride"] = ("'strides' has 1", m => m.With(AttributeProto.IntList("strides", 1))),
        ["dilation of zero"] = ("'dilations'", m => m.With(AttributeProto.IntList("dilations", 1, 0))),
        ["dilation is an int"] = ("'dilations' is not a list", m => m.With(AttributeProto.Int("dilations", 1))),
        ["negative padding"] = ("'pads'", m => m.With(AttributeProto.IntList("pads", 1, 1, -1, 1))),
        ["two pads"] = ("'pads' has 2", m => m.With(AttributeProto.IntList("pads", 1, 1))),
        ["unknown auto_pad"] = ("'auto_pad' is 'SAME'", m => m.With(AttributeProto.String("auto_pad", "SAME"))),
        ["kernel larger than the input"] = (
            "more than the 6", m => m.With(AttributeProto.IntList("pads", 0, 0, 0, 0)).With(AttributeProto.IntList("dilations", 3, 1))),
        ["an output beyond 2^31 positions"] = ("2^31", m => m.With(AttributeProto.IntList("pads", 1 << 20, 1 << 20, 1 << 20, 1 << 20))),
        ["a padded extent beyond 2^31"] = ("2^31", m => m.With(AttributeProto.IntList("pads", int.MaxValue, 1, int.MaxValue, 1))),
        ["high of floats"] = ("W_high", m => m.Constant(TensorProto.FromFloats("W_high", [1], [1]))),
        ["bits of 64 bits"] = ("bits", m => m.Default(TensorProto.FromInt64s("bits", [], [8]))),
        ["scale of integers"] = ("w_scale", m => m.Constant(TensorProto.FromInt32s("w_scale", [4], [1, 1, 1, 1]))),
    };

    private static readonly Dictionary<string, (string Expected, Action<NodeModel> Apply)> ProductFaults = new()
    {
        ["no channel view"] = ("'channel_view' is missing", m => m.Without("channel_view")),
        ["short channel view"] = ("'channel_view' has 3", m => m.With(AttributeProto.IntList("channel_view", 7, 20, 1))),
        ["channel view of a convolution"] = ("does not fit a matrix", m => m.With(AttributeProto.IntList("channel_view", 7, 5, 1, 4))),
        ["channel view of other size"] = ("does not cover", m => m.With(AttributeProto.IntList("channel_view", 7, 21, 1, 1))),
        ["channel view with a zero"] = ("dimension 0", m => m.With(AttributeProto.IntList("channel_view", 7, 20, 0, 1))),
        ["channel view the other way round"] = ("does not fit a matrix", m => m.With(AttributeProto.IntList("channel_view", 20, 7, 1, 1))),
        ["shape the other way round"] = ("does not fit a matrix", m => m.With(AttributeProto.IntList("shape", 20, 7))),
        ["shape of three dimensions"] = ("does not fit a matrix", m => m.With(AttributeProto.IntList("shape", 7, 4, 5))),
        ["operands of another view"] = (
            "'W_high' has",
            m => m.With(AttributeProto.IntList("shape", 1, 140)).With(AttributeProto.IntList("channel_view", 1, 140, 1, 1))),
        ["high too short"] = ("'W_high' has", m => m.Constant(Bytes("W_high", 20 * 24 - 1))),
        ["low too short"] = ("'W_low' has", m => m.Constant(Bytes("W_low", 20 * 12 - 1))),
    };

    private static readonly Dictionary<string, (string Expected, Action<NodeModel> Apply)> QuantizedOutputFaults = new()
    {
        ["y scale of zero"] = ("y_scale is 0", m => m.Constant(TensorProto.FromFloats("y_scale", [], [0]))),
        ["negative y scale"] = ("y_scale is -1", m => m.Constant(TensorProto.FromFloats("y_scale", [], [-1]))),
        ["y scale not a number"] = ("y_scale is NaN", m => m.Constant(TensorProto.FromFloats("y_scale", [], [float.NaN]))),
        ["infinite y scale"] = ("y_scale is", m => m.Constant(TensorProto.FromFloats("y_scale", [], [float.PositiveInfinity]))),
        ["y scale per channel"] = ("'y_scale' has 2", m => m.Constant(TensorProto.FromFloats("y_scale", [2], [1, 1]))),
        ["y zero point per channel"] = ("'y_zero_point' has 3", m => m.Constant(Bytes("y_zero_point", 3))),
        ["y zero point of 32 bits"] = ("y_zero_point", m => m.Constant(TensorProto.FromInt32s("y_zero_point", [], [1]))),
        ["factors beyond floats"] = ("a finite", m => m.Constant(TensorProto.FromFloats("y_scale", [], [1e-44f]))),
        ["bias not a number"] = (
            "B[0]",
            m =>
                m.Constant(
                    TensorProto.FromFloats(
                        "B", [m.LengthOf("w_scale")], Enumerable.Repeat(float.NaN, (int)m.LengthOf("w_scale")).ToArray()))),
        ["least above greatest"] = (
            "clamp_min is 10 and clamp_max is 9",
            m => m.With(AttributeProto.Int("clamp_min", 10)).With(AttributeProto.Int("clamp_max", 9))),
        ["negative least"] = ("clamp_min is -1", m => m.With(AttributeProto.Int("clamp_min", -1))),
        ["greatest beyond a byte"] = ("clamp_max is 256", m => m.With(AttributeProto.Int("clamp_max", 256))),
        ["bounds beyond 32 bits"] = ("clamp_max is", m => m.With(AttributeProto.Int("clamp_max", 1L << 40))),
        ["bounds of text"] = ("'clamp_min' is not an int", m => m.With(AttributeProto.String("clamp_min", "0"))),
    };

    private static readonly Dictionary<string, (string Expected, Action<NodeModel> Apply)> DequantizationFaults = new()
    {
        ["shape and view differ"] = ("does not cover", m => m.With(AttributeProto.IntList("shape", 7, 21))),
        ["high too short"] = ("'W_high' has", m => m.Constant(Bytes("W_high", 20 * 24 - 1))),
        ["low too long"] = ("'W_low' has", m => m.Constant(Bytes("W_low", 20 * 12 + 1))),
        ["scale of zero"] = ("w_scale[6] is 0", m => m.Constant(TensorProto.FromFloats("w_scale", [7], [1, 1, 1, 1, 1, 1, 0]))),
        ["view that overflows"] = ("too many elements", m => m.With(AttributeProto.IntList("channel_view", 1 << 30, 1 << 30, 1 << 30, 4))),
        ["bits below one"] = ("nest_bits is 0", m => m.Default(TensorProto.FromInt32s("bits", [], [0]))),
    };

    private static TensorProto Bytes(string name, int length) =>
        TensorProto.FromBytes(name, TensorDataType.UInt8, [length], new byte[length]);
}
