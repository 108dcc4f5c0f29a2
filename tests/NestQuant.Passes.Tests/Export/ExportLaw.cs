using System.Text;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using NestQuant.Compiler.Onnx;
using NestQuant.Passes.Export;
using NestQuant.Passes.Nesting;
using NestQuant.Passes.Tests.Integer.ActivationQuantization;
using NestQuant.Passes.Tests.Models;
using NestQuant.RuntimeOps;
using NestQuant.RuntimeOps.Packing;

namespace NestQuant.Passes.Tests.Export;

/// <summary>
/// The law of compile and export: at every kind of activations and at both precisions what is written loads, and gives what the documentation
/// says. The part model gives the bytes of the full one at part precision; an export gives the compiled model's results but for roundings.
/// </summary>
internal static class ExportLaw
{
    /// <summary>Float sums in another order. Where activations are quantized, a rounding that falls the other way shows in all that follows.</summary>
    private const double FloatTolerance = 1e-4, QuantizedTolerance = 0.03;

    private static readonly NestedBits Bits = new(8, 6);

    /// <summary>Session entries under which ONNX Runtime computes as written: no saturated products, and no activations of 8 bits in MatMulNBits.</summary>
    public static IReadOnlyList<(string Key, string Value)> ExactEntries { get; } = [("session.x64quantprecision", "1"), ("session.qdq_matmulnbits_accuracy_level", "1")];

    /// <summary>Fails where the law does not hold for a model.</summary>
    public static void Verify(ModelProto source, ActivationMode mode, params (string Name, TensorValue Value)[] feeds)
    {
        ModelProto original = ModelRunner.Clone(source);
        var options = new CompileOptions { Nest = Bits, Activations = mode, Ranges = mode == ActivationMode.Static ? new MeasuredRanges(feeds) : null };
        CompileResult result = NestQuantCompiler.Compile(source, options);
        using InferenceSession compiled = Open(result.Model, original, withOps: true);
        if (result.CreatePartModel() is not { } part) return;
        using InferenceSession partSession = Open(part, original, withOps: true);
        foreach (int bits in (int[])[Bits.Full, Bits.High])
        {
            Dictionary<string, TensorValue> expected = ModelRunner.Run(compiled, [.. feeds, (PrecisionInput.Name, TensorValue.OfInt32([], bits))]);
            if (bits == Bits.High) AssertEqual(expected, ModelRunner.Run(partSession, feeds));
            ModelProto exported = ModelExport.ToQdq(result.Model, new ExportOptions { Bits = bits }).Model;
            using InferenceSession session = Open(exported, original, withOps: false);
            AssertClose(expected, ModelRunner.Run(session, feeds), mode == ActivationMode.None ? FloatTolerance : QuantizedTolerance, $"{mode} at {bits} bits", original, exported);
        }
    }

    /// <summary>A session with ONNX Runtime's own optimizations, as users have it.</summary>
    private static InferenceSession Open(ModelProto model, ModelProto source, bool withOps)
    {
        using var options = new SessionOptions { IntraOpNumThreads = 1, LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL };
        foreach ((string key, string value) in ExactEntries) options.AddSessionConfigEntry(key, value);
        if (withOps) options.RegisterNestQuantOps();
        try
        {
            return new InferenceSession(ModelFile.ToBytes(model), options);
        }
        catch (OnnxRuntimeException e)
        {
            Assert.Fail($"{e.Message}\nsource: {ModelText.Print(source)}\nwritten: {ModelText.Print(model)}");
            throw;
        }
    }

    private static void AssertEqual(Dictionary<string, TensorValue> expected, Dictionary<string, TensorValue> actual)
    {
        foreach ((string name, TensorValue value) in expected) Assert.Equal(value.Bytes, actual[name].Bytes);
    }

    private static void AssertClose(
        Dictionary<string, TensorValue> expected, Dictionary<string, TensorValue> actual, double tolerance, string what, ModelProto source, ModelProto exported)
    {
        Assert.Equal(expected.Keys, actual.Keys);
        var wrong = new StringBuilder();
        foreach ((string name, TensorValue value) in expected)
        {
            Assert.Equal(value.Shape, actual[name].Shape);
            double error = value.Type == TensorElementType.Float ? RelativeError(value.Floats, actual[name].Floats) : value.Bytes.AsSpan().SequenceEqual(actual[name].Bytes) ? 0 : 1;
            if (!(error <= tolerance)) wrong.Append(FormattableString.Invariant($"{what}: relative error {error} of '{name}'\n"));
        }

        Assert.True(wrong.Length == 0, $"{wrong}source: {ModelText.Print(source)}\nexported: {ModelText.Print(exported)}");
    }

    /// <summary>Root of the mean squared difference, relative to that of the expected values.</summary>
    private static double RelativeError(float[] expected, float[] actual)
    {
        double difference = 0, size = 0;
        for (int i = 0; i < expected.Length; i++)
        {
            difference += Math.Pow(expected[i] - actual[i], 2);
            size += Math.Pow(expected[i], 2);
        }

        return difference == 0 ? 0 : Math.Sqrt(difference / size);
    }
}
