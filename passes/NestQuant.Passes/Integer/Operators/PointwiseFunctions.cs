using NestQuant.Onnx;
using NestQuant.Onnx.Graph;

namespace NestQuant.Passes.Integer.Operators;

/// <summary>The elementwise operators of ONNX, evaluated in double precision.</summary>
internal static class PointwiseFunctions
{
    private static readonly Dictionary<string, Func<NodeProto, Func<double, double>>> UnaryFunctions = new(StringComparer.Ordinal)
    {
        ["Abs"] = static _ => Math.Abs,
        ["Celu"] = static node =>
            WithFloat(node, "alpha", 1, static (alpha, x) => Math.Max(0, x) + Math.Min(0, alpha * (Math.Exp(x / alpha) - 1))),
        ["Elu"] = static node => WithFloat(node, "alpha", 1, static (alpha, x) => x < 0 ? alpha * (Math.Exp(x) - 1) : x),
        ["Erf"] = static _ => ErrorFunction.Erf,
        ["Exp"] = static _ => Math.Exp,
        ["Gelu"] = static node =>
            node.GetString("approximate", "none") == "tanh" ? GeluByTanh : static x => 0.5 * x * (1 + ErrorFunction.Erf(x / Math.Sqrt(2))),
        ["HardSigmoid"] = HardSigmoid,
        ["HardSwish"] = static _ => static x => x * Math.Clamp((x / 6) + 0.5, 0, 1),
        ["Identity"] = static _ => static x => x,
        ["LeakyRelu"] = static node => WithFloat(node, "alpha", 0.01f, static (alpha, x) => x < 0 ? alpha * x : x),
        ["Mish"] = static _ => static x => x * Math.Tanh(Softplus(x)),
        ["Neg"] = static _ => static x => -x,
        ["Reciprocal"] = static _ => static x => 1 / x,
        ["Relu"] = static _ => static x => Math.Max(0, x),
        ["Selu"] = Selu,
        ["Sigmoid"] = static _ => static x => 1 / (1 + Math.Exp(-x)),
        ["Softplus"] = static _ => Softplus,
        ["Softsign"] = static _ => static x => x / (1 + Math.Abs(x)),
        ["Sqrt"] = static _ => Math.Sqrt,
        ["Tanh"] = static _ => Math.Tanh,
        ["ThresholdedRelu"] = static node => WithFloat(node, "alpha", 1, static (alpha, x) => x > alpha ? x : 0),
    };

    private static readonly Dictionary<string, Func<double, double, double>> BinaryFunctions = new(StringComparer.Ordinal)
    {
        ["Add"] = static (x, y) => x + y,
        ["Div"] = static (x, y) => x / y,
        ["Max"] = Math.Max,
        ["Min"] = Math.Min,
        ["Mul"] = static (x, y) => x * y,
        ["Pow"] = Math.Pow,
        ["PRelu"] = static (x, slope) => x < 0 ? slope * x : x,
        ["Sub"] = static (x, y) => x - y,
    };

    /// <summary>Whether the operator of a node is elementwise.</summary>
    public static bool Is(NodeProto node) =>
        node.IsDefaultDomain()
            && (node.OpType == "Clip" || UnaryFunctions.ContainsKey(node.OpType) || BinaryFunctions.ContainsKey(node.OpType));

    /// <summary>The function of a node of one input, its attributes applied; null for other operators.</summary>
    public static Func<double, double>? Unary(NodeProto node) =>
        node.IsDefaultDomain() && UnaryFunctions.TryGetValue(node.OpType, out Func<NodeProto, Func<double, double>>? create)
            ? create(node)
            : null;

    /// <summary>The function of a node of two inputs; null for other operators.</summary>
    public static Func<double, double, double>? Binary(NodeProto node) =>
        node.IsDefaultDomain() && node.Input.Count == 2 ? BinaryFunctions.GetValueOrDefault(node.OpType) : null;

    private static Func<double, double> WithFloat(NodeProto node, string attribute, float none, Func<double, double, double> function)
    {
        double value = node.GetFloat(attribute, none);
        return x => function(value, x);
    }

    private static Func<double, double> HardSigmoid(NodeProto node)
    {
        double alpha = node.GetFloat("alpha", 0.2f), beta = node.GetFloat("beta", 0.5f);
        return x => Math.Clamp((alpha * x) + beta, 0, 1);
    }

    private static Func<double, double> Selu(NodeProto node)
    {
        double alpha = node.GetFloat("alpha", 1.67326319f), gamma = node.GetFloat("gamma", 1.05070102f);
        return x => gamma * (x > 0 ? x : alpha * (Math.Exp(x) - 1));
    }

    private static double Softplus(double x) => Math.Max(x, 0) + Math.Log(1 + Math.Exp(-Math.Abs(x)));

    private static double GeluByTanh(double x) => 0.5 * x * (1 + Math.Tanh(Math.Sqrt(2 / Math.PI) * (x + (0.044715 * x * x * x))));
}
