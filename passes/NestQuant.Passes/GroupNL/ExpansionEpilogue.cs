using NestQuant.Onnx;
using NestQuant.Onnx.Graph;
using NestQuant.Passes.Operators;
using NestQuant.RuntimeOps.Schema;

namespace NestQuant.Passes.GroupNL;

/// <summary>
/// Moves the batch normalisation and the activation after a GroupNLExpand into it.
/// <code>
/// e = com.nestquant.GroupNLExpand (x, shift, period); b = BatchNormalization (e, gamma, beta, mean, var); y = Relu (b)
/// y = com.nestquant.GroupNLExpand &lt;activation = "clip", activation_min = 0&gt; (x, shift, period, scale, bias)
/// </code>
/// with scale = gamma / sqrt(var + epsilon) and bias = beta - mean * scale, computed in float64 and rounded to float32 once.
/// </summary>
internal sealed class ExpansionEpilogue(GraphView view, UniqueNames names, long opset)
{
    /// <summary>Moves an inference BatchNormalization with constant parameters into the operator.</summary>
    /// <returns>The nodes that are now part of the operator.</returns>
    public IReadOnlyList<NodeProto> TakeBatchNorm(NodeProto expand, int channels)
    {
        bool isScaled = expand.InputAt(InputNames.MapScale).Length > 0 || expand.InputAt(InputNames.MapBias).Length > 0;
        if (isScaled || HasActivation(expand)) return [];
        if (SoleConsumer(expand) is not { } norm
            || !norm.Is("BatchNormalization")
            || InferenceNormalization.WhyTraining(norm, opset) is not null)
            return [];
        var parameters = new float[4][];
        for (int i = 0; i < parameters.Length; i++)
        {
            string name = norm.InputAt(i + 1);
            if (name.Length == 0 || view.Constant(name) is not { DataType: TensorDataType.Float } tensor || tensor.ElementCount != channels)
                return [];
            parameters[i] = tensor.ToFloats();
        }

        double[] factors = InferenceNormalization.Factors(parameters[0], parameters[3], norm.GetFloat("epsilon", 1e-5f));
        var bias = new float[channels];
        for (int c = 0; c < channels; c++) bias[c] = (float)(parameters[1][c] - (parameters[2][c] * factors[c]));
        AddInput(expand, InputNames.MapScale, Array.ConvertAll(factors, static factor => (float)factor));
        AddInput(expand, InputNames.MapBias, bias);
        TakeOver([norm], expand);
        return [norm];
    }

    /// <summary>Moves Relu, Clip with constant bounds or HardSwish, also as operator sets before 14 write it, into the operator.</summary>
    /// <returns>The nodes that are now part of the operator.</returns>
    public IReadOnlyList<NodeProto> TakeActivation(NodeProto expand)
    {
        if (HasActivation(expand)) return [];
        if (GatedHardSwish(expand) is { } gated)
        {
            expand.SetAttribute(AttributeProto.String(AttributeNames.Activation, ActivationNames.HardSwish));
            TakeOver(gated, expand);
            return gated;
        }

        if (SoleConsumer(expand) is not { } activation) return [];
        if (activation.Is("HardSwish"))
        {
            expand.SetAttribute(AttributeProto.String(AttributeNames.Activation, ActivationNames.HardSwish));
        }
        else
        {
            if (ClipBound.Of(activation, view) is not { } bounds) return [];
            expand.SetAttribute(AttributeProto.String(AttributeNames.Activation, ActivationNames.Clip));
            if (!float.IsNegativeInfinity(bounds.Min)) expand.SetAttribute(AttributeProto.Float(AttributeNames.ActivationMin, bounds.Min));
            if (!float.IsPositiveInfinity(bounds.Max)) expand.SetAttribute(AttributeProto.Float(AttributeNames.ActivationMax, bounds.Max));
        }

        TakeOver([activation], expand);
        return [activation];
    }

    /// <summary>
    /// HardSwish written as h * HardSigmoid (h) with slope 1 / 6 and offset 1 / 2, where nothing else reads h or the gate.
    /// </summary>
    private NodeProto[]? GatedHardSwish(NodeProto expand)
    {
        const float slope = 1f / 6, offset = 0.5f, slopeTolerance = 1e-7f;
        string maps = expand.Output[0];
        if (view.IsOutput(maps) || view.Consumers(maps) is not [var first, var second]) return null;
        (NodeProto gate, NodeProto product) = first.Is("HardSigmoid") ? (first, second) : (second, first);
        if (!gate.Is("HardSigmoid")
            || !product.Is("Mul")
            || view.SoleConsumer(gate.Output[0]) is not { } consumer)
            return null;
        bool multiplies = consumer == product
            && product.Input.Count == 2
            && product.Input.Contains(maps)
            && product.Input.Contains(gate.Output[0]);
        bool fits = MathF.Abs(gate.GetFloat("alpha", 0.2f) - slope) <= slopeTolerance && gate.GetFloat("beta", offset) == offset;
        return multiplies && fits ? [gate, product] : null;
    }

    private void AddInput(NodeProto expand, string input, float[] values)
    {
        TensorProto tensor = TensorProto.FromFloats(names.Next($"{expand.DisplayName()}_{input}"), [values.Length], values);
        view.AddInitializer(tensor);
        int position = expand.PositionOf(input);
        while (expand.Input.Count <= position) expand.Input.Add("");
        view.SetInput(expand, position, tensor.Name);
    }

    private static bool HasActivation(NodeProto expand) =>
        expand.GetString(OperatorAttributes.Activation) != ActivationNames.None;

    private NodeProto? SoleConsumer(NodeProto expand)
    {
        string value = expand.Output[0];
        return view.SoleConsumer(value) is { } consumer && consumer.InputAt(0) == value ? consumer : null;
    }

    /// <summary>The operator takes over the output of the last node that was moved into it.</summary>
    private void TakeOver(NodeProto[] next, NodeProto expand)
    {
        view.Remove(next.ToHashSet<NodeProto>(ReferenceEqualityComparer.Instance));
        view.RenameProduced(expand.Output[0], next[^1].Output[0]);
    }
}
