using NestQuant.Onnx;
using NestQuant.Onnx.Graph;

namespace NestQuant.Passes.Operators;

/// <summary>
/// What a node with constants does to every channel of its one operand: <c>v = x * Scale + Bias</c>, then <c>v &lt; 0 ? v * Slope : v</c>.
/// </summary>
/// <param name="Operand">The value that is not constant.</param>
/// <param name="Axis">Axis of the channels, counted from the end; -1 where <see cref="IsScalar"/>.</param>
/// <param name="Rank">Rank of the constant with most axes; the operand has no fewer where it keeps its shape.</param>
/// <param name="Scale">One value for every channel, or one in all; null for 1.</param>
/// <param name="Bias">Likewise; null for 0.</param>
/// <param name="Slope">Likewise; null for 1.</param>
internal sealed record ChannelFunction(string Operand, int Axis, int Rank, double[]? Scale, double[]? Bias, double[]? Slope)
{
    /// <summary>Number of channels.</summary>
    public int Channels => (Scale ?? Bias ?? Slope)!.Length;

    /// <summary>Whether all channels have one function.</summary>
    public bool IsScalar => Channels == 1;

    /// <summary>
    /// The function of a Mul, Div, Add, Sub or PRelu with a float32 constant that differs along one axis at most, or of a
    /// BatchNormalization at inference; null for other nodes.
    /// </summary>
    public static ChannelFunction? Of(NodeProto node, GraphView view, int? rank)
    {
        if (!node.IsDefaultDomain()) return null;
        if (node.Is("BatchNormalization")) return OfNormalization(node, view, rank);
        // Before operator set 7 an attribute says which axes of the operands belong together.
        if (node.Input.Count != 2 || node.GetAttribute("broadcast") is not null) return null;
        bool isFirst = view.Constant(node.Input[0]) is not null;
        if (view.Constant(node.Input[isFirst ? 0 : 1]) is not { DataType: TensorDataType.Float } tensor) return null;
        string operand = node.Input[isFirst ? 1 : 0];
        if (view.Constant(operand) is not null || AxisOf(tensor) is not { } axis) return null;
        double[] values = Array.ConvertAll(tensor.ToFloats(), static value => (double)value);
        (double[]? Scale, double[]? Bias, double[]? Slope) factors = (node.OpType, isFirst) switch
        {
            ("Mul", _) => (values, null, null),
            ("Add", _) => (null, values, null),
            ("Sub", false) => (null, Array.ConvertAll(values, static value => -value), null),
            ("Sub", true) => ([.. Enumerable.Repeat(-1d, values.Length)], values, null),
            ("Div", false) => (Array.ConvertAll(values, static value => 1 / value), null, null),
            ("PRelu", false) => (null, null, values),
            _ => default,
        };
        bool areFinite = Array.TrueForAll(factors.Scale ?? factors.Bias ?? factors.Slope ?? [double.NaN], double.IsFinite);
        return areFinite ? new ChannelFunction(operand, axis, tensor.Dims.Count, factors.Scale, factors.Bias, factors.Slope) : null;
    }

    /// <summary>Why the result might have another shape than the operand; null where it is known to have the same.</summary>
    public string? WhyBroadcast(ValueExtents extents)
    {
        if (IsScalar && Rank == 0) return null;
        if (extents.Of(Operand) is not { } shape) return $"the shape of '{Operand}' is not known";
        if (Rank > shape.Length) return $"its constant has more axes than '{Operand}'";
        if (IsScalar || shape[^-Axis] == Channels) return null;
        return shape[^-Axis] is { } extent
            ? $"its constant has {Channels} values for {extent} channels of '{Operand}'"
            : $"the number of channels of '{Operand}' is not known";
    }

    /// <summary>The value of a channel.</summary>
    /// <param name="values">One value for every channel, or one in all, or null.</param>
    /// <param name="channel">The channel.</param>
    /// <param name="absent">What null stands for.</param>
    public static double ValueOf(double[]? values, int channel, double absent) =>
        values is null ? absent : values[values.Length == 1 ? 0 : channel];

    /// <summary>The only axis of a constant with more than one index, counted from the end; null where there are several.</summary>
    private static int? AxisOf(TensorProto tensor)
    {
        int[] wide = [.. Enumerable.Range(0, tensor.Dims.Count).Where(axis => tensor.Dims[axis] != 1)];
        return wide.Length switch
        {
            0 => -1,
            1 when tensor.Dims[wide[0]] > 0 => wide[0] - tensor.Dims.Count,
            _ => null,
        };
    }

    private static ChannelFunction? OfNormalization(NodeProto norm, GraphView view, int? rank)
    {
        if (rank is not { } axes || axes < 2 || InferenceNormalization.WhyTraining(norm, long.MaxValue) is not null) return null;
        var values = new float[4][];
        for (int i = 0; i < values.Length; i++)
        {
            if (view.Constant(norm.InputAt(i + 1)) is not { DataType: TensorDataType.Float, ElementCount: > 0 } tensor) return null;
            values[i] = tensor.ToFloats();
            if (values[i].Length != values[0].Length) return null;
        }

        double[] factors = InferenceNormalization.Factors(values[0], values[3], norm.GetFloat("epsilon", 1e-5f));
        double[] biases = [.. factors.Select((factor, m) => values[1][m] - (values[2][m] * factor))];
        bool areFinite = Array.TrueForAll(factors, double.IsFinite) && Array.TrueForAll(biases, double.IsFinite);
        return areFinite ? new ChannelFunction(norm.Input[0], 1 - axes, axes, factors, biases, null) : null;
    }
}
