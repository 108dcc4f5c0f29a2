using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using NestQuant.Compiler.Pipeline;
using NestQuant.Onnx;
using NestQuant.Onnx.Files;
using NestQuant.Onnx.Graph;
using NestQuant.Passes.Export;
using NestQuant.Passes.Nesting;
using NestQuant.Passes.Tests.Integer.ActivationQuantization;
using NestQuant.Passes.Tests.Models;
using NestQuant.Passes.Tests.Nesting;
using NestQuant.RuntimeOps.Packing;
using NestQuant.TestSupport;

namespace NestQuant.Passes.Tests.Integer.Sweep;

/// <summary>
/// Compiles and exports a model with static and with dynamic activations, and compares what ONNX Runtime computes with what it stands for.
/// </summary>
internal sealed class OperatorSweep
{
    /// <summary>In dB: activations of 8 bits, each with its own range, through two convolutions.</summary>
    private const double SameFunction = 25;

    private const int Full = 8, Part = 6;

    /// <summary>First operator set that exports have.</summary>
    private const int ExportOpset = 13;

    private readonly ModelProto _source;
    private readonly (string, TensorValue)[] _feeds;
    private readonly double _sameIntegers;
    private readonly List<string> _failures = [];

    private OperatorSweep(ModelProto source, (string, TensorValue)[] feeds, double sameIntegers)
    {
        _sameIntegers = sameIntegers;
        _source = source;
        _feeds = feeds;
    }

    /// <summary>Tries a case, with its result as the output of the model, and with the result read by another convolution.</summary>
    /// <returns>What failed; null where ONNX Runtime does not run the source model.</returns>
    public static IReadOnlyList<string>? Run(OperatorCase tried)
    {
        (string, TensorValue)[] feeds = [("x", TensorValue.Random(tried.Shape))];
        ModelProto open = tried.Build().Output("z").Model(tried.Opset);
        Dictionary<string, TensorValue> expected;
        try
        {
            expected = ModelRunner.Run(open, feeds);
        }
        catch (OnnxRuntimeException)
        {
            return null;
        }

        TensorValue z = expected["z"];
        if (z.Type != TensorElementType.Float || z.Bytes.Length == 0) return null;
        var toOutput = new OperatorSweep(open, feeds, tried.SameIntegers);
        toOutput.TryStatic(expected, Full);
        if (z.Shape.Length < 2) return toOutput._failures;

        var toProduct = new OperatorSweep(WithReaders(tried, z), feeds, tried.SameIntegers);
        expected = ModelRunner.Run(toProduct._source, feeds);
        toProduct.TryStatic(expected, Full, Part);
        toProduct.TryDynamic(expected);
        return [.. toOutput._failures.Select(static failure => "output: " + failure), .. toProduct._failures];
    }

    /// <summary>
    /// The case with a convolution or product behind z, and another one behind a, so that a is read in integers whatever becomes of the
    /// operators.
    /// </summary>
    private static ModelProto WithReaders(OperatorCase tried, TensorValue z)
    {
        GraphBuilder graph = tried.Build().Random("U", [4, 8, .. tried.Shape.Skip(2).Select(static _ => 1L)]).Node("u = Conv(a, U)");
        graph = z.Shape.Length is 3 or 4
            ? graph.Random("V", [4, z.Shape[1], .. z.Shape.Skip(2).Select(static _ => 1L)]).Node("y = Conv(z, V)")
            : graph.Random("V", z.Shape[^1], 4).Node("y = MatMul(z, V)");
        return graph.Output("y", "u").Model(tried.Opset);
    }

    private void TryStatic(Dictionary<string, TensorValue> expected, params ReadOnlySpan<int> precisions)
    {
        (ModelProto qdq, ModelProto compiled) = CompileStatic();
        foreach (int bits in precisions)
        {
            ModelProto dequantized = DequantizedModel.Of(qdq, compiled, part: bits == Part);
            Dictionary<string, TensorValue> reference = QdqGraph.RunAsWritten(dequantized, _feeds);
            (string, TensorValue)[] feeds = bits == Full ? _feeds : [.. _feeds, ("nest_bits", TensorValue.OfInt32([], bits))];
            Try($"static {bits}", () => ModelRunner.Run(compiled, feeds), reference, _sameIntegers);
            if (bits != Full) continue;
            Compare("its quantized form", expected, reference, SameFunction);
            TryExport("static", compiled, reference);
        }
    }

    private void TryDynamic(Dictionary<string, TensorValue> expected)
    {
        ModelProto compiled = NestQuantCompiler.Compile(ModelRunner.Clone(_source), Options(ActivationMode.Dynamic)).Model;
        Dictionary<string, TensorValue>? actual = Try("dynamic", () => ModelRunner.Run(compiled, _feeds), expected, SameFunction);
        if (actual is not null) TryExport("dynamic", compiled, actual);
    }

    private void TryExport(string what, ModelProto compiled, Dictionary<string, TensorValue> expected)
    {
        if (compiled.OpsetVersion() < ExportOpset) return;
        ModelProto exported = ModelExport.ToQdq(compiled, new ExportOptions { Bits = Full }).Model;
        using var options = new SessionOptions { IntraOpNumThreads = 1, LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL };
        // Without it, x64 processors that lack VNNI saturate pairs of products at 16 bits.
        options.AddSessionConfigEntry("session.x64quantprecision", "1");
        Try(what + " exported", () =>
        {
            using var session = new InferenceSession(ModelFile.ToBytes(exported), options);
            return ModelRunner.Run(session, _feeds);
        }, expected, _sameIntegers);
    }

    /// <summary>The model before its weights are nested, and after all passes.</summary>
    private (ModelProto Qdq, ModelProto Compiled) CompileStatic()
    {
        var context = new ModelContext(ModelRunner.Clone(_source));
        ModelProto? qdq = null;
        foreach (IGraphPass pass in NestQuantCompiler.CreatePipeline(Options(ActivationMode.Static)).Passes)
        {
            if (pass is NestingPass) qdq = ModelRunner.Clone(context.Model);
            pass.Run(context);
        }

        return (qdq!, context.Model);
    }

    private CompilerOptions Options(ActivationMode mode) => new()
    {
        Weights = new() { Bits = new NestedBits(Full, Part) },
        Activations = new() { Mode = mode, Ranges = mode == ActivationMode.Static ? new MeasuredRanges(_feeds) : null },
    };

    private Dictionary<string, TensorValue>? Try(
        string what, Func<Dictionary<string, TensorValue>> run, Dictionary<string, TensorValue> expected, double least)
    {
        try
        {
            Dictionary<string, TensorValue> actual = run();
            Compare(what, expected, actual, least);
            return actual;
        }
        catch (OnnxRuntimeException failure)
        {
            _failures.Add($"{what}: {failure.Message}");
            return null;
        }
    }

    private void Compare(string what, Dictionary<string, TensorValue> expected, Dictionary<string, TensorValue> actual, double least)
    {
        foreach ((string name, TensorValue value) in expected)
        {
            bool sameShape = value.Shape.AsSpan().SequenceEqual(actual[name].Shape);
            double ratio = sameShape ? SignalToNoise(value.Floats, actual[name].Floats) : double.NaN;
            if (!(ratio >= least)) _failures.Add(FormattableString.Invariant($"{what}: {name} has {ratio:F1} dB"));
        }
    }

    private static double SignalToNoise(float[] expected, float[] actual)
    {
        double signal = 0, noise = 0;
        for (int i = 0; i < expected.Length; i++)
        {
            signal += (double)expected[i] * expected[i];
            noise += ((double)expected[i] - actual[i]) * ((double)expected[i] - actual[i]);
        }

        return noise == 0 ? double.PositiveInfinity : 10 * Math.Log10(signal / noise);
    }
}
