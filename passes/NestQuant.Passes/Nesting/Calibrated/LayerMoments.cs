using Microsoft.ML.OnnxRuntime;
using NestQuant.Onnx;
using NestQuant.Onnx.Graph;
using NestQuant.Passes.Calibration;

namespace NestQuant.Passes.Nesting.Calibrated;

/// <summary>The moments of a layer's inputs over all samples, in two networks.</summary>
internal static class LayerMoments
{
    /// <summary>Values that are gathered at a time, at most: they stay in the second-level cache.</summary>
    private const int ChunkValues = 1 << 17;

    /// <summary>Sums up the inputs of a layer, which both networks have computed.</summary>
    /// <param name="layer">The layer.</param>
    /// <param name="inFloat">The network before quantization.</param>
    /// <param name="inPart">The network whose earlier layers run at the precision in question.</param>
    /// <param name="samples">The samples.</param>
    /// <param name="parallel">Degree of parallelism and cancellation. The result does not depend on it.</param>
    /// <returns>The moments of every group.</returns>
    /// <exception cref="ModelException">An input does not fit the layer, or is not finite.</exception>
    public static InputMoments[] Collect(
        CalibratedLayer layer, LayeredNetwork inFloat, LayeredNetwork inPart, CalibrationSamples samples, ParallelOptions parallel)
    {
        LayerRows rows = layer.Rows;
        var moments = new InputMoments[rows.Groups];
        for (int group = 0; group < moments.Length; group++) moments[group] = new InputMoments(rows.Length);
        for (int sample = 0; sample < samples.Count; sample++)
        {
            parallel.CancellationToken.ThrowIfCancellationRequested();
            using StoredValues.Lease first = inFloat.Get(layer.Node.Input[0], sample), second = inPart.Get(layer.Node.Input[0], sample);
            Verify(first.Value, layer.Node, samples.Origins[sample]);
            Verify(second.Value, layer.Node, samples.Origins[sample]);
            layer.Positions += Add(layer.Rows, first.Value, second.Value, moments, parallel);
        }

        return moments;
    }

    private static int Add(LayerRows rows, OrtValue inFloat, OrtValue inPart, InputMoments[] moments, ParallelOptions parallel)
    {
        long[] shape = inFloat.GetTensorTypeAndShape().Shape;
        int count = rows.Count(shape), chunk = Math.Clamp(ChunkValues / rows.Length, 16, Math.Max(count, 16));
        if (rows.Groups == 1)
        {
            AddGroup(0, parallel);
            return count;
        }

        var alone = new ParallelOptions { MaxDegreeOfParallelism = 1, CancellationToken = parallel.CancellationToken };
        Parallel.For(0, rows.Groups, parallel, group => AddGroup(group, alone));
        return count;

        void AddGroup(int group, ParallelOptions threads)
        {
            ReadOnlySpan<float> floats = inFloat.GetTensorDataAsSpan<float>(), parts = inPart.GetTensorDataAsSpan<float>();
            var first = new float[chunk * rows.Length];
            var second = new float[chunk * rows.Length];
            for (int start = 0; start < count; start += chunk)
            {
                int length = Math.Min(chunk, count - start) * rows.Length;
                rows.Gather(floats, shape, group, start, first.AsSpan(0, length));
                rows.Gather(parts, shape, group, start, second.AsSpan(0, length));
                moments[group].Add(first.AsSpan(0, length), second.AsSpan(0, length), length / rows.Length, threads);
            }
        }
    }

    private static void Verify(OrtValue value, NodeProto node, string origin)
    {
        ReadOnlySpan<float> values = value.GetTensorDataAsSpan<float>();
        if (NonFinite.IsIn(values))
            throw new ModelException(
                $"{origin}: the input of {node.OpType} '{node.DisplayName()}' has the value "
                    + $"{NonFinite.Name(values[NonFinite.IndexIn(values)])}: the model overflows on this data");
    }
}
