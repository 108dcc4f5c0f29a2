using Microsoft.ML.OnnxRuntime;
using NestQuant.Onnx;
using NestQuant.Onnx.Files;
using NestQuant.Passes.Tests.Models;
using NestQuant.RuntimeOps;
using NestQuant.TestSupport;

namespace NestQuant.Passes.Tests.Integer;

/// <summary>Graphs in which float values are quantized and dequantized again, and what ONNX Runtime makes of them.</summary>
internal static class QdqGraph
{
    /// <summary>Adds <c>value_q = QuantizeLinear (value); dequantized = DequantizeLinear (value_q)</c> with the given parameters.</summary>
    public static GraphBuilder Pair(this GraphBuilder graph, string value, string dequantized, float scale, byte zeroPoint)
    {
        string id = $"{value}_{dequantized}";
        return graph
            .Floats(id + "_scale", [], scale)
            .Constant(TensorProto.FromBytes(id + "_zero_point", TensorDataType.UInt8, [], [zeroPoint]))
            .Node($"{dequantized}_q = QuantizeLinear({value}, {id}_scale, {id}_zero_point)")
            .Node($"{dequantized} = DequantizeLinear({dequantized}_q, {id}_scale, {id}_zero_point)");
    }

    /// <summary>
    /// Runs a model node by node as it is written: ONNX Runtime makes integer operators of its own from such pairs otherwise.
    /// </summary>
    public static Dictionary<string, TensorValue> RunAsWritten(ModelProto model, params (string Name, TensorValue Value)[] feeds)
    {
        using var options = new SessionOptions
        {
            GraphOptimizationLevel = GraphOptimizationLevel.ORT_DISABLE_ALL,
            IntraOpNumThreads = 1,
            LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR,
        };
        using var session = new InferenceSession(ModelFile.ToBytes(model), options.RegisterNestQuantOps());
        return ModelRunner.Run(session, feeds);
    }

    /// <summary>Seeded values over the range [-1, 1), another seed giving others.</summary>
    public static TensorValue Random(int seed, params long[] shape)
    {
        var random = new Random(seed);
        var values = new float[shape.Aggregate(1L, static (product, extent) => product * extent)];
        for (int i = 0; i < values.Length; i++) values[i] = (random.NextSingle() * 2) - 1;
        return TensorValue.Of(shape, values);
    }

    /// <summary>The largest difference of two float tensors of one shape.</summary>
    public static float LargestDifference(TensorValue expected, TensorValue actual)
    {
        Assert.Equal(expected.Shape, actual.Shape);
        float[] left = expected.Floats, right = actual.Floats;
        float largest = 0;
        for (int i = 0; i < left.Length; i++) largest = MathF.Max(largest, MathF.Abs(left[i] - right[i]));
        return largest;
    }
}
