using NestQuant.Onnx;
using NestQuant.Onnx.Graph;
using NestQuant.Passes.Integer.Operators;
using NestQuant.Passes.Operators;

namespace NestQuant.Passes.Integer.ActivationQuantization;

/// <summary>How an operator works on quantized activations.</summary>
internal enum IntegerRole
{
    /// <summary>
    /// Multiplies by constant weights: Conv, Gemm, MatMul. Its input is quantized; its result only where something reads it as integers.
    /// </summary>
    Product,

    /// <summary>Moves or selects elements, so that input and output have the same scale and zero point.</summary>
    Movement,

    /// <summary>Computes a new value, with a scale and zero point of its own.</summary>
    Computation,
}

/// <summary>
/// The operators besides Conv, Gemm and MatMul that can work on quantized activations. To add one, add a line to the table, with a check
/// where only some of its forms are supported.
/// </summary>
internal static class IntegerRules
{
    private sealed record Rule(IntegerRole Role, Func<NodeProto, GraphView, string?>? WhyNot = null, bool AllInputs = false);

    private static readonly Dictionary<string, Rule> Rules = new(StringComparer.Ordinal)
    {
        ["Clip"] = new(IntegerRole.Computation, WhyNotClip),
        ["Elu"] = new(IntegerRole.Computation),
        ["Gelu"] = new(IntegerRole.Computation),
        ["HardSigmoid"] = new(IntegerRole.Computation),
        ["HardSwish"] = new(IntegerRole.Computation),
        ["LeakyRelu"] = new(IntegerRole.Computation),
        ["Relu"] = new(IntegerRole.Computation),
        ["Sigmoid"] = new(IntegerRole.Computation),
        ["Tanh"] = new(IntegerRole.Computation),

        ["AveragePool"] = new(IntegerRole.Computation, static (node, _) => AveragePoolRule.WhyNone(node)),
        ["GlobalAveragePool"] = new(IntegerRole.Computation),
        ["ReduceMean"] = new(IntegerRole.Computation, WhyNotReduceMean),

        ["Add"] = new(IntegerRole.Computation, WhyConstantInput, AllInputs: true),
        ["Mul"] = new(IntegerRole.Computation, WhyConstantInput, AllInputs: true),
        ["Concat"] = new(IntegerRole.Computation, WhyConstantInput, AllInputs: true),

        ["Flatten"] = new(IntegerRole.Movement),
        ["Identity"] = new(IntegerRole.Movement),
        ["MaxPool"] = new(IntegerRole.Movement, WhyNotMaxPool),
        ["Pad"] = new(IntegerRole.Movement, WhyNotPad),
        ["Reshape"] = new(IntegerRole.Movement),
        ["Resize"] = new(IntegerRole.Movement, WhyNotResize),
        ["Slice"] = new(IntegerRole.Movement),
        ["Split"] = new(IntegerRole.Movement),
        ["Squeeze"] = new(IntegerRole.Movement),
        ["Transpose"] = new(IntegerRole.Movement),
        ["Unsqueeze"] = new(IntegerRole.Movement),
    };

    /// <summary>The role of an operator; null when it has no integer form.</summary>
    public static IntegerRole? RoleOf(NodeProto node) =>
        node.IsDefaultDomain() && Rules.TryGetValue(node.OpType, out Rule? rule) ? rule.Role : null;

    /// <summary>Why a node has no integer form; null where it has one.</summary>
    public static string? WhyNone(NodeProto node, GraphView view) =>
        node.IsDefaultDomain() && Rules.TryGetValue(node.OpType, out Rule? rule)
            ? rule.WhyNot?.Invoke(node, view)
            : $"{node.OpType} has no integer form";

    /// <summary>The activations that a product or a node of the table reads, without its shapes, axes and weights.</summary>
    public static IEnumerable<string> Activations(NodeProto node)
    {
        bool all = Rules.TryGetValue(node.OpType, out Rule? rule) && rule.AllInputs;
        return node.Input.Take(all ? node.Input.Count : 1);
    }

    /// <summary>Whether a Conv, Gemm, MatMul or Add can apply the function in its own last step.</summary>
    public static bool IsClamp(NodeProto node) => node.Is("Relu") || node.Is("Clip");

    /// <summary>
    /// The multiplication that a gate belongs to, where SiLU or HardSwish is written as two nodes:
    /// <c>g = Sigmoid (x); y = Mul (x, g)</c>. Null when the node is not a gate.
    /// </summary>
    public static NodeProto? GatedBy(NodeProto gate, GraphView view)
    {
        if (!gate.Is("Sigmoid") && !gate.Is("HardSigmoid")) return null;
        string x = gate.InputAt(0), g = gate.Output[0];
        bool isGate = !view.IsOutput(g) && view.Consumers(g) is [var mul] && mul.Is("Mul")
            && ((mul.InputAt(0) == x && mul.InputAt(1) == g) || (mul.InputAt(0) == g && mul.InputAt(1) == x));
        return isGate ? view.Consumers(g)[0] : null;
    }

    private static string? WhyConstantInput(NodeProto node, GraphView view) =>
        node.Input.Find(input => view.Constant(input) is not null) is { } constant
            ? $"its input '{constant}' is a constant, not an activation"
            : null;

    private static string? WhyNotClip(NodeProto node, GraphView view)
    {
        bool isConstant = node.Input.Skip(1).All(bound => bound.Length == 0 || ScalarConstant.Float(view, bound) is not null);
        return isConstant ? null : "its bounds are not constant";
    }

    /// <summary>Only means over both spatial axes of NCHW, as GlobalAveragePool computes them, have an integer form.</summary>
    private static string? WhyNotReduceMean(NodeProto node, GraphView view)
    {
        long[]? axes = node.GetInts("axes")
            ?? (view.Constant(node.InputAt(1)) is { DataType: TensorDataType.Int64 } tensor ? tensor.ToInt64s() : null);
        return axes is [2, 3] or [3, 2] or [-2, -1] or [-1, -2] ? null : "only means over both spatial axes have an integer form";
    }

    private static string? WhyNotMaxPool(NodeProto node, GraphView view) =>
        node.Output.Count > 1 && node.Output[1].Length > 0 && (view.IsOutput(node.Output[1]) || view.Consumers(node.Output[1]).Count > 0)
            ? "the indices of its maxima are used"
            : null;

    private static string? WhyNotPad(NodeProto node, GraphView view)
    {
        if (node.GetString("mode", "constant") != "constant") return null;
        bool isZero = node.GetFloat("value", 0) == 0 && (node.InputAt(2).Length == 0 || ScalarConstant.Float(view, node.InputAt(2)) == 0);
        return isZero ? null : "it pads with a value that is not 0, which the quantized input may be unable to represent";
    }

    private static string? WhyNotResize(NodeProto node, GraphView view)
    {
        string mode = node.GetString("mode", "nearest");
        if (mode == "linear") return LinearResizeRule.WhyNone(node, view);
        if (mode != "nearest") return $"Resize has no integer form of mode {mode}";
        return node.GetString("coordinate_transformation_mode", "half_pixel") == "tf_crop_and_resize"
            ? "tf_crop_and_resize extrapolates"
            : null;
    }
}
