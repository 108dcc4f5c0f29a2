using Microsoft.ML.OnnxRuntime.Tensors;
using NestQuant.Compiler.Calibration;
using NestQuant.Compiler.Pipeline;
using NestQuant.Onnx;
using NestQuant.Onnx.Graph;
using NestQuant.Passes.Calibration;
using NestQuant.Passes.Tests.Models;

namespace NestQuant.Passes.Tests.Integer.ActivationQuantization;

/// <summary>Smallest and largest value of every float activation of the main graph in one run of ONNX Runtime.</summary>
internal sealed class MeasuredRanges(params (string Name, TensorValue Value)[] feeds) : IActivationRangeSource
{
    /// <summary>How often ranges were asked for.</summary>
    public int Requests { get; private set; }

    /// <summary>Values to say nothing about.</summary>
    public IReadOnlyList<string> Unknown { get; init; } = [];

    /// <summary>
    /// Ranges are widened to multiples of this, so that the last bits of a float sum, which are not those of every machine, do not show; 0
    /// for ranges as they are.
    /// </summary>
    public float Unit { get; init; }

    public override string ToString() => "measured";

    public ActivationRanges RangesOf(ModelContext context)
    {
        Requests++;
        ModelProto model = ModelRunner.Clone(context.Model);
        GraphProto graph = model.MainGraph();
        string[] values = [.. graph.Node.SelectMany(static node => node.Output).Where(static value => value.Length > 0)];
        graph.Output.Clear();
        graph.Output.AddRange(values.Select(static value => new ValueInfoProto { Name = value }));
        var ranges = new Dictionary<string, TensorRange>(StringComparer.Ordinal);
        foreach (
            (string name, TensorValue value) in ModelRunner.Run(model, feeds).Select(static pair => (pair.Key, pair.Value)).Concat(feeds))
            if (value.Type == TensorElementType.Float && !Unknown.Contains(name))
                ranges[name] = Widened(value.Floats.Min(), value.Floats.Max());
        return new ActivationRanges(ranges);
    }

    private TensorRange Widened(float min, float max) =>
        Unit == 0 ? new TensorRange(min, max) : new TensorRange(MathF.Floor(min / Unit) * Unit, MathF.Ceiling(max / Unit) * Unit);
}
