using NestQuant.Onnx;
using NestQuant.Onnx.Graph;
using NestQuant.Passes.Integer.Operators;
using NestQuant.Passes.Nesting;
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
    /// <summary>Rank that is assumed where only the kind of a node matters.</summary>
    private const int LeastRank = 2;

    private sealed record Rule(IntegerRole Role, Func<NodeProto, RuleFacts, string?>? WhyNot = null, bool AllInputs = false);

    private static readonly Dictionary<string, Rule> Rules = new(StringComparer.Ordinal)
    {
        ["Abs"] = new(IntegerRole.Computation),
        ["Clip"] = new(IntegerRole.Computation, WhyNotClip),
        ["Elu"] = new(IntegerRole.Computation),
        ["Erf"] = new(IntegerRole.Computation),
        ["Gelu"] = new(IntegerRole.Computation),
        ["HardSigmoid"] = new(IntegerRole.Computation),
        ["HardSwish"] = new(IntegerRole.Computation),
        ["LeakyRelu"] = new(IntegerRole.Computation),
        ["Neg"] = new(IntegerRole.Computation),
        ["PRelu"] = new(IntegerRole.Computation, WhyNoFunction),
        ["Relu"] = new(IntegerRole.Computation),
        ["Sigmoid"] = new(IntegerRole.Computation),
        ["Tanh"] = new(IntegerRole.Computation),

        ["AveragePool"] = new(IntegerRole.Computation, static (node, _) => AveragePoolRule.WhyNone(node)),
        ["GlobalAveragePool"] = new(IntegerRole.Computation),
        ["ReduceMean"] = new(IntegerRole.Computation, WhyNotReduceMean),

        ["Add"] = new(IntegerRole.Computation, WhyNotArithmetic, AllInputs: true),
        ["BatchNormalization"] = new(IntegerRole.Computation, WhyNoFunction),
        ["Div"] = new(IntegerRole.Computation, WhyNoFunction, AllInputs: true),
        ["Max"] = new(IntegerRole.Computation, WhyNoFunction, AllInputs: true),
        ["Min"] = new(IntegerRole.Computation, WhyNoFunction, AllInputs: true),
        ["Mul"] = new(IntegerRole.Computation, WhyNotArithmetic, AllInputs: true),
        ["Sub"] = new(IntegerRole.Computation, WhyNoFunction, AllInputs: true),
        ["Concat"] = new(IntegerRole.Computation, AllInputs: true),

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
    public static string? WhyNone(NodeProto node, RuleFacts facts) =>
        node.IsDefaultDomain() && Rules.TryGetValue(node.OpType, out Rule? rule)
            ? rule.WhyNot?.Invoke(node, facts)
            : $"{node.OpType} has no integer form";

    /// <summary>What a product or a node of the table computes with, without its shapes, axes and weights.</summary>
    public static IEnumerable<string> Operands(NodeProto node)
    {
        bool all = Rules.TryGetValue(node.OpType, out Rule? rule) && rule.AllInputs;
        return node.Input.Take(all ? node.Input.Count : 1);
    }

    /// <summary>Those of the operands that are no constants.</summary>
    public static IEnumerable<string> Activations(NodeProto node, GraphView view) =>
        Operands(node).Where(input => view.Constant(input) is null);

    /// <summary>Whether a Conv, Gemm, MatMul or Add can apply the function in its own last step.</summary>
    public static bool IsClamp(NodeProto node) => node.Is("Relu") || node.Is("Clip");

    /// <summary>Whether a node has an integer form that applies a Relu or Clip after it in its own last step.</summary>
    public static bool TakesClamp(NodeProto node, GraphView view) =>
        NestingCandidate.IsProduct(node)
            || node.Is("Add")
            || ChannelFunction.Of(node, view, LeastRank) is { IsScalar: false, Slope: null };

    private static string? WhyNotArithmetic(NodeProto node, RuleFacts facts) =>
        node.Input.Exists(input => facts.View.Constant(input) is not null) ? WhyNoFunction(node, facts) : null;

    /// <summary>Functions of one activation, or of every channel of one.</summary>
    private static string? WhyNoFunction(NodeProto node, RuleFacts facts)
    {
        if (facts.Roots.IsFunction(node)) return null;
        int? rank = facts.Extents.Of(Activations(node, facts.View).FirstOrDefault(""))?.Length;
        return ChannelFunction.Of(node, facts.View, rank) is { } function
            ? function.WhyBroadcast(facts.Extents)
            : $"only {node.OpType} with a constant that differs along one axis has an integer form";
    }

    private static string? WhyNotClip(NodeProto node, RuleFacts facts)
    {
        bool isConstant = node.Input.Skip(1).All(bound => bound.Length == 0 || ScalarConstant.Float(facts.View, bound) is not null);
        return isConstant ? null : "its bounds are not constant";
    }

    /// <summary>Only means over both spatial axes of NCHW, as GlobalAveragePool computes them, have an integer form.</summary>
    private static string? WhyNotReduceMean(NodeProto node, RuleFacts facts)
    {
        long[]? axes = node.GetInts("axes")
            ?? (facts.View.Constant(node.InputAt(1)) is { DataType: TensorDataType.Int64 } tensor ? tensor.ToInt64s() : null);
        return axes is [2, 3] or [3, 2] or [-2, -1] or [-1, -2] ? null : "only means over both spatial axes have an integer form";
    }

    private static string? WhyNotMaxPool(NodeProto node, RuleFacts facts) =>
        node.Output.Count > 1
            && node.Output[1].Length > 0
            && (facts.View.IsOutput(node.Output[1]) || facts.View.Consumers(node.Output[1]).Count > 0)
            ? "the indices of its maxima are used"
            : null;

    private static string? WhyNotPad(NodeProto node, RuleFacts facts)
    {
        if (node.GetString("mode", "constant") != "constant") return null;
        bool isZero = node.GetFloat("value", 0) == 0
            && (node.InputAt(2).Length == 0 || ScalarConstant.Float(facts.View, node.InputAt(2)) == 0);
        return isZero ? null : "it pads with a value that is not 0, which the quantized input may be unable to represent";
    }

    private static string? WhyNotResize(NodeProto node, RuleFacts facts)
    {
        string mode = node.GetString("mode", "nearest");
        if (mode == "linear") return LinearResizeRule.WhyNone(node, facts.View);
        if (mode != "nearest") return $"Resize has no integer form of mode {mode}";
        return node.GetString("coordinate_transformation_mode", "half_pixel") == "tf_crop_and_resize"
            ? "tf_crop_and_resize extrapolates"
            : null;
    }
}

/// <summary>What the rules ask about a graph.</summary>
/// <param name="View">The graph.</param>
/// <param name="Extents">Shapes of its values.</param>
/// <param name="Roots">Its elementwise functions.</param>
internal sealed record RuleFacts(GraphView View, ValueExtents Extents, PointwiseRoots Roots);
