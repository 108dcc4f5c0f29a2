using System.Numerics.Tensors;
using NestQuant.Compiler.Pipeline;
using NestQuant.Onnx;
using NestQuant.Onnx.Graph;
using NestQuant.Passes.Operators;
using NestQuant.RuntimeOps.Packing;

namespace NestQuant.Passes.Folding;

/// <summary>
/// Folds an inference BatchNormalization into the Conv, ConvTranspose or Gemm before it.
/// <code>
/// c = Conv (x, W, B); y = BatchNormalization (c, scale, bias, mean, var)
/// y = Conv (x, W * f, (B - mean) * f + bias)          with f = scale / sqrt(var + epsilon) per output channel
/// </code>
/// </summary>
/// <remarks>The factors are computed in float64 and rounded to float32 once. A weight with other consumers is copied, not
/// changed.</remarks>
public sealed class BatchNormFoldingPass : IGraphPass
{
    /// <inheritdoc/>
    public string Name => "batch-norm-folding";

    /// <inheritdoc/>
    public PassResult Run(ModelContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        var names = new UniqueNames(context.Model);
        bool changed = false;
        foreach (GraphView view in GraphView.Of(context.Model.MainGraph()).WithInner())
        {
            foreach (NodeProto norm in view.Graph.Node.Where(static node => node.Is("BatchNormalization")).ToArray())
            {
                string? reason = Fold(norm, view, names, context.Model.OpsetVersion());
                if (reason is null) context.Decisions.Rewritten(Name, norm.DisplayName(), norm.OpType);
                else context.Decisions.Kept(Name, norm.DisplayName(), norm.OpType, reason);
                changed |= reason is null;
            }
        }

        return new PassResult(changed);
    }

    private static string? Fold(NodeProto norm, GraphView view, UniqueNames names, long opset)
    {
        if (WhyTraining(norm, opset) is { } training) return training;
        if (view.Producer(norm.Input[0]) is not { } producer) return "its input is not produced in this graph";
        if (!(producer.Is("Conv") || producer.Is("ConvTranspose") || producer.Is("Gemm")))
            return $"its input comes from {producer.OpType}, not from Conv, ConvTranspose or Gemm";
        if (view.Consumers(norm.Input[0]).Count > 1 || view.IsOutput(norm.Input[0]))
            return $"the result of '{producer.DisplayName()}' is also used without it";
        if (FloatConstant(view, producer.InputAt(1)) is not { } weight)
            return $"the weight of '{producer.DisplayName()}' is not a float32 constant";
        string biasName = producer.InputAt(2);
        TensorProto? bias = biasName.Length > 0 ? FloatConstant(view, biasName) : null;
        if (biasName.Length > 0 && bias is null) return $"the bias of '{producer.DisplayName()}' is not a float32 constant";
        var parameters = new TensorProto?[4];
        for (int i = 0; i < parameters.Length; i++)
        {
            parameters[i] = FloatConstant(view, norm.InputAt(i + 1));
            if (parameters[i] is null) return "its parameters are not float32 constants";
        }

        if (WeightView.Of(producer, weight) is not { } channels) return $"the weight of '{producer.DisplayName()}' has an unexpected shape";
        var biasValues = new double[channels.OutputChannels];
        if (bias is not null && !TryBroadcast(bias, producer.GetFloat("beta", 1), biasValues))
            return $"the bias of '{producer.DisplayName()}' is not one value per channel";
        if (parameters.Any(parameter => parameter!.ElementCount != channels.OutputChannels))
            return $"its parameters do not have the {channels.OutputChannels} channels of '{producer.DisplayName()}'";

        float[][] values = Array.ConvertAll(parameters, static parameter => parameter!.ToFloats());
        double[] factors = Factors(values[0], values[3], norm.GetFloat("epsilon", 1e-5f));
        var foldedBias = new float[channels.OutputChannels];
        for (int m = 0; m < foldedBias.Length; m++) foldedBias[m] = (float)(((biasValues[m] - values[2][m]) * factors[m]) + values[1][m]);

        float[] foldedWeight = ScaleChannels(weight.ToFloats(), channels, factors);
        if (!TensorPrimitives.IsFiniteAll<float>(foldedWeight) || !TensorPrimitives.IsFiniteAll<float>(foldedBias))
            return "the folded weights or biases would overflow float32";

        SetConstant(view, producer, 1, TensorProto.FromFloats(weight.Name, weight.Dims.ToArray(), foldedWeight), names);
        SetConstant(view, producer, 2, TensorProto.FromFloats(bias?.Name ?? norm.Input[2], [channels.OutputChannels], foldedBias), names);
        if (producer.Is("Gemm")) producer.Attribute.RemoveAll(static attribute => attribute.Name == "beta");
        TakeOver(norm, producer, view);
        return null;
    }

    /// <summary>Why a BatchNormalization is not just a scale and shift of every channel; null when it is.</summary>
    internal static string? WhyTraining(NodeProto norm, long opset)
    {
        if (norm.GetInt("training_mode", 0) != 0) return "it is in training mode";
        if (opset < 7 && norm.GetInt("is_test", 0) == 0) return "it is in training mode (is_test is 0)";
        if (norm.GetInt("spatial", 1) == 0) return "it normalises every position separately (spatial is 0)";
        return norm.Output.Skip(1).Any(static output => output.Length > 0) ? "it outputs running statistics" : null;
    }

    private static TensorProto? FloatConstant(GraphView view, string name) =>
        name.Length > 0 && view.Constant(name) is { DataType: TensorDataType.Float } tensor ? tensor : null;

    /// <summary>scale / sqrt(variance + epsilon) per channel.</summary>
    internal static double[] Factors(float[] scale, float[] variance, float epsilon)
    {
        var factors = new double[scale.Length];
        for (int m = 0; m < factors.Length; m++) factors[m] = scale[m] / Math.Sqrt((double)variance[m] + epsilon);
        return factors;
    }

    private static float[] ScaleChannels(float[] weights, ChannelView view, double[] factors)
    {
        for (int row = 0; row < weights.Length / view.Taps; row++)
        {
            double factor = factors[view.OutputChannelOfRow(row)];
            foreach (ref float weight in weights.AsSpan(row * view.Taps, view.Taps)) weight = (float)(weight * factor);
        }

        return weights;
    }

    private static bool TryBroadcast(TensorProto bias, float factor, double[] channels)
    {
        // Gemm's bias [N, 1] also has N elements, but one for every row.
        if (bias.ElementCount != 1 && (bias.ElementCount != channels.Length || bias.Dims[^1] != channels.Length)) return false;
        float[] values = bias.ToFloats();
        for (int m = 0; m < channels.Length; m++) channels[m] = (double)factor * values[values.Length == 1 ? 0 : m];
        return true;
    }

    /// <summary>
    /// Gives a node a new constant: in place where it is the only consumer of the old one in the graph that owns it, otherwise under a new
    /// name.
    /// </summary>
    private static void SetConstant(GraphView view, NodeProto node, int input, TensorProto tensor, UniqueNames names)
    {
        bool alone = node.InputAt(input) == tensor.Name && view.Initializer(tensor.Name) is not null
            && view.Consumers(tensor.Name).Count == 1 && !view.IsOutput(tensor.Name);
        if (alone)
        {
            view.ReplaceInitializer(tensor);
            return;
        }

        tensor.Name = names.Next(tensor.Name + "_folded");
        view.AddInitializer(tensor);
        while (node.Input.Count <= input) node.Input.Add("");
        view.SetInput(node, input, tensor.Name);
    }

    /// <summary>The producer takes over the output of the normalisation.</summary>
    private static void TakeOver(NodeProto norm, NodeProto producer, GraphView view)
    {
        view.Remove(norm);
        view.RenameProduced(producer.Output[0], norm.Output[0]);
    }
}
