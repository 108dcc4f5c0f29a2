using NestQuant.Onnx;
using NestQuant.Onnx.Graph;
using NestQuant.Passes.Nesting;
using NestQuant.Passes.Tests.Models;
using NestQuant.RuntimeOps.Packing;

namespace NestQuant.Passes.Tests.Nesting;

/// <summary>
/// Nests a model with scales and biases of their own below full precision, and makes the float model that it stands for at a precision.
/// </summary>
internal static class LevelForm
{
    /// <summary>Nests all candidates of a model in place. Every level gets other scales, and biases where a layer can have some.</summary>
    public static void Nest(ModelProto model, NestedBits bits, ActivationMode mode)
    {
        GraphView main = GraphView.Of(model.MainGraph());
        NestingCandidate[] candidates = NestingCandidates.Find(main, new WeightOptions { Bits = bits, Scheme = WeightScheme.Affine });
        var emitter = new NestedGraphEmitter(model, main, mode);
        var parallel = new ParallelOptions();
        foreach (TensorProto weight in candidates.Select(static candidate => candidate.Weight!).Distinct().ToArray())
        {
            NestingCandidate reader = candidates.First(candidate => candidate.Weight == weight);
            NestedWeight plain = WeightNester.Nest(weight, reader.Channels, reader.Settings.Quantization!, parallel);
            float[] partScales = [.. Enumerable.Range(1, bits.Count - 1).SelectMany(
                level => plain.Scales.Select((scale, channel) => scale * (1 + (0.05f * level) + (0.01f * (channel % 7)))))];
            emitter.AddOperands(plain.WithLevels(weight, plain.Levels, partScales, parallel), weight, parallel);
        }

        foreach (NestingCandidate candidate in candidates)
        {
            if (candidate.HasChannelBias)
                candidate.PartBias =
                    [.. bits.Levels.Skip(1).SelectMany(level => Shift(candidate, level).Zip(Own(candidate), static (a, b) => a + b))];
            emitter.Rewrite(candidate);
        }

        OperandFiles.AssignOperands(model);
        DeadCode.Remove(model.MainGraph());
    }

    /// <summary>The float model that a nested one stands for at a precision.</summary>
    public static ModelProto Reference(ModelProto source, ModelProto nested, NestedBits bits, int precision)
    {
        ModelProto model = DequantizedModel.Of(source, nested, precision);
        int level = bits.LevelAt(precision);
        if (level == bits.Full) return model;
        GraphView main = GraphView.Of(model.MainGraph());
        var names = new UniqueNames(model);
        foreach (NestingCandidate candidate in NestingCandidates.Find(main, new WeightOptions { Bits = bits }))
            if (candidate.HasChannelBias) AddShift(candidate, Shift(candidate, level), names);
        return model;
    }

    private static void AddShift(NestingCandidate candidate, float[] shift, UniqueNames names)
    {
        NodeProto node = candidate.Node;
        bool isConvolution = node.OpType is "Conv" or "ConvTranspose";
        long[] shape = isConvolution ? [shift.Length, .. Enumerable.Repeat(1L, candidate.Weight!.Dims.Count - 2)] : [shift.Length];
        TensorProto added = TensorProto.FromFloats(names.Next("shift"), shape, shift);
        candidate.View.AddInitializer(added);
        var product = new NodeProto { OpType = node.OpType, Name = node.Name };
        product.Input.AddRange(node.Input);
        product.Attribute.AddRange(node.Attribute);
        product.Output.Add(names.Next("unshifted"));
        var add = new NodeProto { OpType = "Add" };
        add.Input.AddRange([product.Output[0], added.Name]);
        add.Output.Add(node.Output[0]);
        candidate.View.Replace(node, product, add);
    }

    /// <summary>What a layer adds at a level beyond what it adds at full precision.</summary>
    private static float[] Shift(NestingCandidate candidate, int level) =>
        [.. Enumerable.Range(0, candidate.Channels.OutputChannels).Select(channel => (0.5f * level) - (0.125f * (channel % 5)))];

    /// <summary>The constant that a layer itself adds.</summary>
    private static IEnumerable<float> Own(NestingCandidate candidate)
    {
        NodeProto node = candidate.Node;
        int channels = candidate.Channels.OutputChannels;
        TensorProto? bias = node.OpType switch
        {
            "Conv" or "ConvTranspose" => candidate.View.Constant(node.InputAt(2)),
            "Gemm" => GemmBias.Constant(candidate),
            _ => null,
        };
        float[] values = bias?.ToFloats() ?? [0];
        return Enumerable.Range(0, channels).Select(i => node.GetFloat("beta", 1) * values[values.Length == 1 ? 0 : i]);
    }
}
