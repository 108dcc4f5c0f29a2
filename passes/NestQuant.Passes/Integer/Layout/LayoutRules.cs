using NestQuant.Onnx;
using NestQuant.Onnx.Graph;
using NestQuant.Passes.Operators;
using NestQuant.RuntimeOps;
using NestQuant.RuntimeOps.Schema;

namespace NestQuant.Passes.Integer.Layout;

/// <summary>The operators that work on either order of axes.</summary>
internal static class LayoutRules
{
    private static readonly ElementwiseLayout Elementwise = new();

    private static readonly Dictionary<(string Domain, string OpType), LayoutRule> Rules = new()
    {
        [("", "QuantizeLinear")] = new QuantizerLayout(),
        [("", "DequantizeLinear")] = new QuantizerLayout(),
        [("", "DynamicQuantizeLinear")] = Elementwise,
        [(NestQuantOps.Domain, OperatorNames.QLinearLookup)] = Elementwise,
        [(NestQuantOps.Domain, OperatorNames.QLinearAffine)] = new ChannelAxisLayout(),

        [("", "Abs")] = Elementwise,
        [("", "Clip")] = Elementwise,
        [("", "Elu")] = Elementwise,
        [("", "Gelu")] = Elementwise,
        [("", "HardSigmoid")] = Elementwise,
        [("", "HardSwish")] = Elementwise,
        [("", "LeakyRelu")] = Elementwise,
        [("", "Mish")] = Elementwise,
        [("", "Relu")] = Elementwise,
        [("", "Sigmoid")] = Elementwise,
        [("", "Softplus")] = Elementwise,
        [("", "Tanh")] = Elementwise,

        [("", "Sum")] = new SumLayout(),
        [("", "Add")] = new BinaryLayout(0, 1),
        [("", "Mul")] = new BinaryLayout(0, 1),
        [("", "Sub")] = new BinaryLayout(0, 1),
        [(MicrosoftOperators.Domain, MicrosoftOperators.QLinearAdd)] = new BinaryLayout(0, 3),
        [(MicrosoftOperators.Domain, MicrosoftOperators.QLinearMul)] = new BinaryLayout(0, 3),

        [("", "Concat")] = new ConcatLayout(first: 0, step: 1),
        [(MicrosoftOperators.Domain, MicrosoftOperators.QLinearConcat)] = new ConcatLayout(first: 2, step: 3),
        [("", "Split")] = new SplitLayout(),

        [("", "MaxPool")] = new MaxPoolLayout(),
        [(MicrosoftOperators.Domain, MicrosoftOperators.QLinearAveragePool)] = new AveragePoolLayout(),
        [(MicrosoftOperators.Domain, MicrosoftOperators.QLinearGlobalAveragePool)] = new AveragePoolLayout(),

        [("", "DepthToSpace")] = new DepthToSpaceLayout(),
        [("", "Pad")] = new PadLayout(),
        [("", "Resize")] = new ResizeLayout(),
        [("", "Slice")] = new SliceLayout(),
    };

    /// <summary>The rule for a node that is in channels-first form; null where its operator has none.</summary>
    public static LayoutRule? For(NodeProto node) => Rules.GetValueOrDefault((node.IsDefaultDomain() ? "" : node.Domain, node.OpType));
}
