using System.Collections.Concurrent;
using Microsoft.ML.OnnxRuntime;
using NestQuant.Onnx;
using NestQuant.Passes;
using NestQuant.Passes.Nesting;
using NestQuant.RuntimeOps.Packing;
using NestQuant.RuntimeOps.Sessions;
using NestQuant.TestSupport;

namespace NestQuant.RuntimeOps.Tests.Sessions;

/// <summary>A small compiled model in a folder of its own: two products with 192 KB of weights each.</summary>
internal sealed class CompiledFiles : IDisposable
{
    private const int Width = 384;
    private const int Inner = 512;

    // Models are compiled once, and written for every test.
    private static readonly ConcurrentDictionary<(NestedBits, NestedBits?), CompileResult> s_compiled = new();

    private readonly TemporaryFolder _folder = new();

    /// <summary>Compiles a model.</summary>
    /// <param name="bits">The levels of its weights.</param>
    /// <param name="second">The levels of the second one; null where they are those of the first.</param>
    public CompiledFiles(NestedBits bits, NestedBits? second = null) =>
        s_compiled.GetOrAdd((bits, second), static levels => Compile(levels.Item1, levels.Item2 ?? levels.Item1)).Save(Full);

    /// <summary>The whole model.</summary>
    public string Full => File("m.onnx");

    /// <summary>The part model of two levels.</summary>
    public string Part => File("m.part.onnx");

    /// <summary>The low file of two levels.</summary>
    public string Low => File("m.low.bin");

    /// <summary>An input of two rows.</summary>
    public static Dictionary<string, OrtValue> Input()
    {
        float[] x = [.. Enumerable.Range(0, 2 * Width).Select(static i => MathF.Sin(i))];
        return new Dictionary<string, OrtValue> { ["x"] = SessionRuns.Tensor(x, 2, Width) };
    }

    /// <summary>Output of a run.</summary>
    public static float[] Run(NestedSession session, int? bits = null)
    {
        Dictionary<string, OrtValue> input = Input();
        using OrtValue x = input["x"];
        using IDisposableReadOnlyCollection<OrtValue> results = session.Run(input, bits: bits);
        return results[0].GetTensorDataAsSpan<float>().ToArray();
    }

    /// <summary>Output of a session of ONNX Runtime's own.</summary>
    public static float[] Expected(string path, int bits)
    {
        using SessionOptions options = new SessionOptions().RegisterNestQuantOps();
        using InferenceSession session = new(path, options);
        return session.Run(("x", Input()["x"]), (NestQuantOps.BitsInput, SessionRuns.Tensor<int>([bits]))).Data;
    }

    private static CompileResult Compile(NestedBits bits, NestedBits second)
    {
        ModelProto source = new GraphBuilder().Input("x", -1, Width).Random("A", Width, Inner).Random("B", Inner, Width)
            .Node("h = MatMul(x, A)").Node("r = Relu(h)").Node("second: y = MatMul(r, B)").Output("y").Model();
        return NestQuantCompiler.Compile(source, new CompilerOptions
        {
            Weights = new WeightOptions { Bits = bits, Rules = [new WeightRule { Name = "second", Bits = second }] },
        });
    }

    /// <summary>Path of a file.</summary>
    public string File(string name) => _folder.File(name);

    /// <inheritdoc/>
    public void Dispose() => _folder.Dispose();
}
