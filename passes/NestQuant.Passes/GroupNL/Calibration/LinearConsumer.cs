using NestQuant.Onnx;
using NestQuant.Onnx.Graph;
using NestQuant.Passes.GroupNL.Recognition;

namespace NestQuant.Passes.GroupNL.Calibration;

/// <summary>
/// A Conv or Gemm whose outputs are an affine function of its inputs, and whose weights can be replaced.
/// </summary>
/// <param name="Node">The node.</param>
/// <param name="Weight">Its weight, which no other node reads.</param>
/// <param name="Outputs">Number of output channels.</param>
/// <param name="Inputs">Number of input channels.</param>
/// <param name="Kernel">Height and width of the kernel; 1 and 1 for Gemm.</param>
/// <param name="Strides">Vertical and horizontal stride.</param>
/// <param name="Dilations">Vertical and horizontal dilation.</param>
/// <param name="Top">Rows of zeros above the maps.</param>
/// <param name="Left">Columns of zeros left of the maps.</param>
internal sealed record LinearConsumer(
    NodeProto Node, TensorProto Weight, int Outputs, int Inputs, (int Y, int X) Kernel, (int Y, int X) Strides, (int Y, int X) Dilations,
    int Top, int Left)
{
    /// <summary>Most features of a regression: the normal equations are then 134 MB, and solving takes some ten seconds.</summary>
    public const int MaxFeatures = 4096;

    /// <summary>Number of weights of one output.</summary>
    public int Features => Inputs * Kernel.Y * Kernel.X;

    private bool IsGemm => Node.Is("Gemm");

    /// <summary>Looks at a Conv or Gemm.</summary>
    /// <returns>Why it cannot be refitted, or null.</returns>
    public static string? WhyNot(NodeProto node, GraphView view, out LinearConsumer? consumer)
    {
        consumer = null;
        if (view.Constant(node.InputAt(1)) is not { DataType: TensorDataType.Float } weight) return "its weight is not a float32 constant";
        if (view.Consumers(weight.Name).Count > 1 || view.IsOutput(weight.Name)) return "its weight is shared with other nodes";
        if (weight.Dims.Exists(static dim => dim is <= 0 or > int.MaxValue)) return "its weight is empty";
        return node.Is("Gemm") ? WhyNotGemm(node, weight, out consumer) : WhyNotConv(node, weight, out consumer);
    }

    /// <summary>The node with other weights.</summary>
    /// <param name="solution">For each output the weights of its features and then the bias.</param>
    /// <param name="bias">Name of the bias.</param>
    /// <param name="weight">The new weight, under the name of the old one.</param>
    public NodeProto With(float[][] solution, string bias, out TensorProto weight)
    {
        var values = new float[(long)Outputs * Features];
        bool transposed = IsGemm && Node.GetInt("transB", 0) == 0;
        for (int output = 0; output < Outputs; output++)
            for (int feature = 0; feature < Features; feature++)
                values[transposed ? (feature * Outputs) + output : (output * Features) + feature] = solution[output][feature];
        weight = TensorProto.FromFloats(Weight.Name, Weight.Dims.ToArray(), values);

        var node = new NodeProto { OpType = Node.OpType, Domain = Node.Domain, Name = Node.Name };
        node.Input.AddRange([Node.Input[0], weight.Name, bias]);
        node.Output.AddRange(Node.Output);
        // The solution already includes alpha and beta of a Gemm.
        node.Attribute.AddRange(Node.Attribute.Where(static attribute => attribute.Name is not ("alpha" or "beta")));
        return node;
    }

    private static string? WhyNotGemm(NodeProto node, TensorProto weight, out LinearConsumer? consumer)
    {
        consumer = null;
        if (weight.Dims.Count != 2) return "its weight is not a matrix";
        if (node.GetInt("transA", 0) != 0) return "its input is transposed";
        bool transposed = node.GetInt("transB", 0) != 0;
        long inputs = weight.Dims[transposed ? 1 : 0], outputs = weight.Dims[transposed ? 0 : 1];
        if (inputs > MaxFeatures) return TooLarge(inputs);
        consumer = new LinearConsumer(node, weight, (int)outputs, (int)inputs, (1, 1), (1, 1), (1, 1), 0, 0);
        return null;
    }

    private static string? WhyNotConv(NodeProto node, TensorProto weight, out LinearConsumer? consumer)
    {
        consumer = null;
        if (weight.Dims.Count != TracedMaps.Rank) return "it is not a 2-D convolution";
        if (node.GetInt("group", 1) is var groups and not 1) return $"it is grouped (group = {groups})";
        string padding = node.GetString("auto_pad", "NOTSET");
        if (padding is not ("NOTSET" or "VALID")) return $"its auto_pad is {padding}: only explicit padding is possible";
        if (weight.ElementCount / weight.Dims[0] is var features and > MaxFeatures) return TooLarge(features);
        long[] strides = node.GetInts("strides") ?? [1, 1], dilations = node.GetInts("dilations") ?? [1, 1];
        long[] pads = padding == "VALID" ? [0, 0, 0, 0] : node.GetInts("pads") ?? [0, 0, 0, 0];
        if (strides.Length != 2
            || dilations.Length != 2
            || pads.Length != 4
            || pads.Concat(strides).Concat(dilations).Any(static value => value is < 0 or > ushort.MaxValue))
            return "its strides, dilations or pads are not those of a 2-D convolution";
        consumer = new LinearConsumer(
            node, weight, (int)weight.Dims[0], (int)weight.Dims[1], Pair(
                weight.Dims[2],
                weight.Dims[3]), Pair(strides[0], strides[1]), Pair(dilations[0], dilations[1]), (int)pads[0], (int)pads[1]);
        return null;
    }

    private static (int Y, int X) Pair(long y, long x) => ((int)y, (int)x);

    private static string TooLarge(long features) => $"it has {features} weights per output: at most {MaxFeatures} can be refitted";
}
