using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using NestQuant.Onnx;
using NestQuant.Onnx.Files;
using NestQuant.Onnx.Text;
using NestQuant.Passes.Export;
using NestQuant.Passes.Nesting;
using NestQuant.Passes.Tests.Integer.ActivationQuantization;
using NestQuant.Passes.Tests.Models;
using NestQuant.RuntimeOps;
using NestQuant.RuntimeOps.Packing;

namespace NestQuant.Passes.Tests.Export;

/// <summary>
/// The law of compile and export: at every kind of activations and at both precisions what is written loads, and gives what the
/// documentation says. The part model gives the bytes of the full one at part precision; an export gives the compiled model's results but
/// for roundings.
/// </summary>
internal static class ExportLaw
{
    /// <summary>
    /// Float sums in another order. Where activations are quantized, a rounding that falls the other way shows in all that follows: 0.044
    /// is the most that random graphs of a few dozen values have shown. What is wrong is wrong by more.
    /// </summary>
    private const double FloatTolerance = 1e-4, QuantizedTolerance = 0.1;

    private static readonly NestedBits Bits = new(8, 6);

    /// <summary>
    /// Session entries under which ONNX Runtime computes as written: no saturated products, and no activations of 8 bits in MatMulNBits.
    /// </summary>
    private static readonly (string Key, string Value)[] ExactEntries =
    [
        ("session.x64quantprecision", "1"), ("session.qdq_matmulnbits_accuracy_level", "1")
    ];

    /// <summary>Fails where the law does not hold for a model.</summary>
    /// <returns>How far each export is from the compiled model: its precision, and the largest relative error of its outputs.</returns>
    public static IReadOnlyList<(int Bits, double Error)> Verify(
        ModelProto source, ActivationMode mode, params (string Name, TensorValue Value)[] feeds)
    {
        ModelProto original = ModelRunner.Clone(source);
        ModelProto written = original;
        try
        {
            var options = new CompilerOptions
            {
                Weights = new() { Bits = Bits },
                Activations = new() { Mode = mode, Ranges = mode == ActivationMode.Static ? new MeasuredRanges(feeds) : null },
            };
            CompileResult result = NestQuantCompiler.Compile(source, options);
            using InferenceSession compiled = Open(written = result.Model, withOps: true);
            if (result.CreatePartModel() is not { } part) return [];
            using InferenceSession partSession = Open(written = part, withOps: true);
            var errors = new List<(int, double)>();
            foreach (int bits in (int[])[Bits.Full, Bits.High])
            {
                Dictionary<string, TensorValue> expected = ModelRunner.Run(
                    compiled, [.. feeds, (PrecisionInput.Name, TensorValue.OfInt32([], bits))]);
                if (bits == Bits.High) AssertEqual(expected, ModelRunner.Run(partSession, feeds));
                using InferenceSession session = Open(
                    written = ModelExport.ToQdq(result.Model, new ExportOptions { Bits = bits }).Model, withOps: false);
                double error = LargestError(expected, ModelRunner.Run(session, feeds));
                Assert.True(
                    error <= (mode == ActivationMode.WeightOnly ? FloatTolerance : QuantizedTolerance),
                    FormattableString.Invariant($"the export at {bits} bits has a relative error of {error}"));
                errors.Add((bits, error));
            }

            return errors;
        }
        catch (Exception e) when (e is OnnxRuntimeException or Xunit.Sdk.XunitException)
        {
            throw new Xunit.Sdk.XunitException(
                $"{mode}: {e.Message}\nsource: {ModelText.Print(original)}\nwritten: {ModelText.Print(written)}", e);
        }
    }

    /// <summary>A session with ONNX Runtime's own optimizations, as users have it.</summary>
    private static InferenceSession Open(ModelProto model, bool withOps)
    {
        using var options = new SessionOptions { IntraOpNumThreads = 1, LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL };
        foreach ((string key, string value) in ExactEntries) options.AddSessionConfigEntry(key, value);
        if (withOps) options.RegisterNestQuantOps();
        return new InferenceSession(ModelFile.ToBytes(model), options);
    }

    private static void AssertEqual(Dictionary<string, TensorValue> expected, Dictionary<string, TensorValue> actual)
    {
        foreach ((string name, TensorValue value) in expected) Assert.Equal(value.Bytes, actual[name].Bytes);
    }

    private static double LargestError(Dictionary<string, TensorValue> expected, Dictionary<string, TensorValue> actual)
    {
        Assert.Equal(expected.Keys, actual.Keys);
        double largest = 0;
        foreach ((string name, TensorValue value) in expected)
        {
            Assert.Equal(value.Shape, actual[name].Shape);
            if (value.Type == TensorElementType.Float) largest = Math.Max(largest, RelativeError(value.Floats, actual[name].Floats));
            else Assert.Equal(value.Bytes, actual[name].Bytes);
        }

        return largest;
    }

    /// <summary>
    /// Root of the mean squared difference, relative to that of the expected values, or to what a saturated sigmoid can still tell from 0.
    /// </summary>
    private static double RelativeError(float[] expected, float[] actual)
    {
        const double least = 1e-3;
        double difference = 0, size = 0;
        for (int i = 0; i < expected.Length; i++)
        {
            difference += Math.Pow(expected[i] - actual[i], 2);
            size += Math.Pow(expected[i], 2);
        }

        return difference == 0 ? 0 : Math.Sqrt(difference / Math.Max(size, expected.Length * least * least));
    }
}
