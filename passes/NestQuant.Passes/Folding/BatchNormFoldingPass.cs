using System.Numerics.Tensors;
using NestQuant.Compiler.Pipeline;
using NestQuant.Onnx;
using NestQuant.Onnx.Graph;
using NestQuant.Passes.Operators;
using NestQuant.RuntimeOps.Packing;

namespace NestQuant.Passes.Folding;

/// <summary>
/// Folds an inference BatchNormalization, or arithmetic with a constant for every channel, into the Conv, ConvTranspose or Gemm before it.
/// <code>
/// c = Conv (x, W, B); y = BatchNormalization (c, scale, bias, mean, var)               c = Conv (x, W, B); y = Mul (c, f)
/// y = Conv (x, W * f, (B - mean) * f + bias), f = scale / sqrt(var + epsilon)          y = Conv (x, W * f, B * f)
/// </code>
/// </summary>
/// <remarks>
/// The factors are computed in float64 and rounded to float32 once. A weight with other consumers is copied for a normalisation, and stays
/// for arithmetic.
/// </remarks>
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
            foreach (NodeProto node in view.Graph.Node.ToArray())
            {
                if (Candidate(node, view) is not { } candidate) continue;
                string? reason = Fold(candidate, view, names, context.Model.OpsetVersion());
                if (reason is null) context.Decisions.Rewritten(Name, node.DisplayName(), node.OpType);
                else context.Decisions.Kept(Name, node.DisplayName(), node.OpType, reason);
                changed |= reason is null;
            }
        }

        return new PassResult(changed);
    }

    /// <summary>A BatchNormalization, or arithmetic with constants after an operator that can take it up.</summary>
    private static FoldedNode? Candidate(NodeProto node, GraphView view)
    {
        if (node.Is("BatchNormalization")) return new FoldedNode(node, node.InputAt(0), null);
        return ChannelFunction.Of(node, view, rank: null) is { Slope: null } function
            && view.Producer(function.Operand) is { } producer
            && (TakesUp(producer) || (producer.Is("MatMul") && function.Bias is null))
            && view.Constant(producer.InputAt(1)) is not null
                ? new FoldedNode(node, function.Operand, function)
                : null;
    }

    private static bool TakesUp(NodeProto producer) => producer.Is("Conv") || producer.Is("ConvTranspose") || producer.Is("Gemm");

    private static string? Fold(FoldedNode folded, GraphView view, UniqueNames names, long opset)
    {
        (NodeProto node, string result, ChannelFunction? function) = folded;
        if (function is null && InferenceNormalization.WhyTraining(node, opset) is { } training) return training;
        if (view.Producer(result) is not { } producer) return "its input is not produced in this graph";
        if (function is null && !TakesUp(producer))
            return $"its input comes from {producer.OpType}, not from Conv, ConvTranspose or Gemm";
        if (view.Consumers(result).Count > 1 || view.IsOutput(result))
            return $"the result of '{producer.DisplayName()}' is also used without it";
        if (FloatConstant(view, producer.InputAt(1)) is not { } weight)
            return $"the weight of '{producer.DisplayName()}' is not a float32 constant";
        if (function is { Scale: not null } && (view.Initializer(weight.Name) is null || view.Consumers(weight.Name).Count > 1))
            return $"the weight of '{producer.DisplayName()}' has other readers, so that there would be two of it";
        string biasName = producer.InputAt(2);
        TensorProto? bias = biasName.Length > 0 ? FloatConstant(view, biasName) : null;
        if (biasName.Length > 0 && bias is null) return $"the bias of '{producer.DisplayName()}' is not a float32 constant";
        if (WeightView.Of(producer, weight) is not { } channels) return $"the weight of '{producer.DisplayName()}' has an unexpected shape";
        var biasValues = new double[channels.OutputChannels];
        if (bias is not null && !TryBroadcast(bias, producer.GetFloat("beta", 1), biasValues))
            return $"the bias of '{producer.DisplayName()}' is not one value per channel";
        string? reason = function is null
            ? ReadNormalization(node, view, producer, biasValues, out double[] factors)
            : ReadArithmetic(function, producer, weight, biasValues, out factors);
        if (reason is not null) return reason;

        float[] foldedBias = Array.ConvertAll(biasValues, static value => (float)value);
        bool isScaled = function is not { Scale: null };
        float[] foldedWeight = isScaled ? ScaleChannels(weight.ToFloats(), channels, factors) : [];
        if ((isScaled && !TensorPrimitives.IsFiniteAll<float>(foldedWeight)) || !TensorPrimitives.IsFiniteAll<float>(foldedBias))
            return "the folded weights or biases would overflow float32";

        if (isScaled) SetConstant(view, producer, 1, TensorProto.FromFloats(weight.Name, weight.Dims.ToArray(), foldedWeight), names);
        if (bias is not null || function is not { Bias: null })
        {
            string name = bias?.Name ?? (function is null ? node.Input[2] : node.Output[0] + "_bias");
            SetConstant(view, producer, 2, TensorProto.FromFloats(name, [channels.OutputChannels], foldedBias), names);
        }

        if (producer.Is("Gemm")) producer.Attribute.RemoveAll(static attribute => attribute.Name == "beta");
        TakeOver(node, producer, view);
        return null;
    }

    /// <summary>The factors of a BatchNormalization; the biases become those of the result.</summary>
    private static string? ReadNormalization(
        NodeProto norm, GraphView view, NodeProto producer, double[] biases, out double[] factors)
    {
        factors = [];
        var parameters = new TensorProto?[4];
        for (int i = 0; i < parameters.Length; i++)
        {
            parameters[i] = FloatConstant(view, norm.InputAt(i + 1));
            if (parameters[i] is null) return "its parameters are not float32 constants";
        }

        if (parameters.Any(parameter => parameter!.ElementCount != biases.Length))
            return $"its parameters do not have the {biases.Length} channels of '{producer.DisplayName()}'";
        float[][] values = Array.ConvertAll(parameters, static parameter => parameter!.ToFloats());
        factors = InferenceNormalization.Factors(values[0], values[3], norm.GetFloat("epsilon", 1e-5f));
        for (int m = 0; m < biases.Length; m++) biases[m] = ((biases[m] - values[2][m]) * factors[m]) + values[1][m];
        return null;
    }

    /// <summary>The factors of arithmetic with constants; the biases become those of the result.</summary>
    private static string? ReadArithmetic(
        ChannelFunction function, NodeProto producer, TensorProto weight, double[] biases, out double[] factors)
    {
        // The result of a MatMul has one axis at least, and the others as many as their weights.
        bool isMatMul = producer.Is("MatMul");
        int rank = weight.Dims.Count, axis = producer.Is("Conv") || producer.Is("ConvTranspose") ? 1 - rank : -1;
        factors = new double[biases.Length];
        bool isPerChannel = function.Channels == biases.Length && function.Axis == axis;
        if (!(function.IsScalar || isPerChannel) || function.Rank > (isMatMul ? 1 : rank) || (isMatMul && rank != 2))
            return $"its constant is not one value per channel of '{producer.DisplayName()}'";
        for (int m = 0; m < biases.Length; m++)
        {
            factors[m] = ChannelFunction.ValueOf(function.Scale, m, 1);
            biases[m] = (biases[m] * factors[m]) + ChannelFunction.ValueOf(function.Bias, m, 0);
        }

        return null;
    }

    private static TensorProto? FloatConstant(GraphView view, string name) =>
        name.Length > 0 && view.Constant(name) is { DataType: TensorDataType.Float } tensor ? tensor : null;

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

    /// <summary>The producer takes over the output of the folded node.</summary>
    private static void TakeOver(NodeProto node, NodeProto producer, GraphView view)
    {
        view.Remove(node);
        view.RenameProduced(producer.Output[0], node.Output[0]);
    }

    /// <summary>What is to be folded.</summary>
    /// <param name="Node">The node.</param>
    /// <param name="Operand">The result that it reads.</param>
    /// <param name="Function">Its arithmetic; null for a BatchNormalization.</param>
    private sealed record FoldedNode(NodeProto Node, string Operand, ChannelFunction? Function);
}
