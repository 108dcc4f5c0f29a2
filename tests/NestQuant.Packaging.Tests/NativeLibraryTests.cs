using System.Globalization;
using Microsoft.ML.OnnxRuntime;
using NestQuant.Onnx;
using NestQuant.Onnx.Files;
using NestQuant.RuntimeOps.Packing;
using NestQuant.RuntimeOps.Schema;
using NestQuant.TestSupport;

namespace NestQuant.Packaging.Tests;

[Collection(PackagesTests.Name)]
public sealed class NativeLibraryTests(PackagesFixture packages) : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("nestquant-native-");

    public void Dispose() => _folder.Delete(recursive: true);

    [SkippableFact]
    public void A_session_with_the_native_library_equals_one_with_the_managed_operators()
    {
        NodeModel model = Dequantization();
        foreach (int bits in new[] { 8, 6 })
            Assert.Equal(RunManaged(model, bits), RunNative(model, bits));
    }

    [SkippableFact]
    public void An_operators_error_reaches_the_caller_with_the_nodes_name()
    {
        NodeModel model = Dequantization().With(AttributeProto.Int(AttributeNames.HighBits, 5));
        string message = Assert.Throws<OnnxRuntimeException>(() => RunNative(model, 8)).Message;
        Assert.Contains("NestedDequantizeLinear node 'subject': input 'W_high' has", message, StringComparison.Ordinal);
    }

    [SkippableFact]
    public void The_library_exports_one_function_and_does_not_need_ONNX_Runtime()
    {
        string library = packages.NativeLibrary;
        Skip.IfNot(Programs.Has("readelf"), "reading the library's headers needs readelf");
        string dynamic = Programs.Run("readelf", "-d", library).Output;
        Assert.Contains("NODELETE", dynamic, StringComparison.Ordinal);
        Assert.DoesNotContain("onnxruntime", dynamic, StringComparison.Ordinal);
        string symbols = Programs.Run("readelf", "--dyn-syms", "-W", library).Output;
        Assert.Single(
            symbols.Split('\n'),
            line => line.Contains("RegisterCustomOps", StringComparison.Ordinal) && line.Contains("GLOBAL", StringComparison.Ordinal));
    }

    [SkippableTheory]
    [InlineData("run")]
    [InlineData("closing")]
    public void A_host_in_another_language_runs_it_and_survives_its_unloading(string way)
    {
        string[] expected =
        [
            .. RunManaged(Dequantization(), 8)
                .Select(v => BitConverter.SingleToUInt32Bits(v).ToString("x8", CultureInfo.InvariantCulture))
        ];
        Func<string, ProgramResult> host = BuildHost();
        for (int repeat = 0; repeat < 5; repeat++)
            Assert.Equal(expected, host(way).Succeeded().Output.Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }

    [SkippableFact]
    public void Loading_and_releasing_it_again_and_again_takes_no_more_memory()
    {
        int kilobytes = int.Parse(BuildHost()("loads").Succeeded().Output, CultureInfo.InvariantCulture);
        Assert.InRange(kilobytes, int.MinValue, 2048);
    }

    [SkippableFact]
    public void The_first_sessions_of_a_process_may_be_created_at_the_same_time()
    {
        // Without the announcement of the domain one process in ten fails.
        Func<string, ProgramResult> host = BuildHost();
        for (int repeat = 0; repeat < 25; repeat++)
            host("together").Succeeded();
    }

    /// <summary>Compiles the host; skips the test where it cannot be.</summary>
    /// <returns>Runs it in one of its ways.</returns>
    private Func<string, ProgramResult> BuildHost()
    {
        string library = packages.NativeLibrary;
        Skip.IfNot(Programs.Has("c++"), "compiling the host needs c++");
        string package = PackagesFixture.OnnxRuntimePackage;
        string host = packages.CompileOnce(
            Path.Combine(AppContext.BaseDirectory, "Host", "host.cc"),
            "-std=c++20",
            "-O1",
            "-I",
            Path.Combine(package, "build", "native", "include"),
            "-I",
            packages.NativeInclude,
            "-ldl",
            "-lpthread");
        string model = Path.Combine(_folder.FullName, "model.onnx");
        File.WriteAllBytes(model, ModelFile.ToBytes(Dequantization().Build()));
        string runtime = Path.Combine(package, "runtimes", PackagesFixture.Runtime, "native", "libonnxruntime.so");
        return way => Programs.Run(host, way, runtime, library, model);
    }

    private static NodeModel Dequantization()
    {
        NestedLayout layout = new(new NestedBits(8, 6), new ChannelView(70, 5, 1, 9));
        (sbyte[] high, sbyte[] low) = RandomWeights.Create(layout, 1);
        byte[] highBytes = new byte[layout.HighByteLength];
        byte[] lowBytes = new byte[layout.LowByteLength];
        NestedPacker.Pack(layout, [high, low], [highBytes, lowBytes]);
        float[] scale = [.. Enumerable.Range(1, 70).Select(m => m * 0.37f)];
        return new NodeModel(OperatorNames.NestedDequantizeLinear)
            .Constant(TensorProto.FromBytes("W_high", TensorDataType.UInt8, [highBytes.Length], highBytes))
            .Constant(TensorProto.FromBytes("W_low", TensorDataType.UInt8, [lowBytes.Length], lowBytes))
            .Constant(TensorProto.FromFloats("w_scale", [70], scale))
            .Absent("w_zero_point")
            .Default(TensorProto.FromInt32s("bits", [], [8]))
            .With(AttributeProto.Int(AttributeNames.FullBits, 8))
            .With(AttributeProto.Int(AttributeNames.HighBits, 6))
            .With(AttributeProto.Int(AttributeNames.LayoutVersion, layout.Version))
            .With(AttributeProto.String(AttributeNames.WeightTag, WeightTag.Of(layout, highBytes, lowBytes).ToString()))
            .With(AttributeProto.IntList(AttributeNames.Shape, 70, 5, 3, 3))
            .With(AttributeProto.IntList(AttributeNames.ChannelView, 70, 5, 1, 9));
    }

    private static float[] RunManaged(NodeModel model, int bits)
    {
        using InferenceSession session = model.Open(threads: 2);
        return session.Run(("bits", SessionRuns.Tensor<int>([bits]))).Data;
    }

    private float[] RunNative(NodeModel model, int bits)
    {
        using SessionOptions options = new() { IntraOpNumThreads = 2, LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL };
        options.RegisterCustomOpLibrary(packages.NativeLibrary);
        using InferenceSession session = new(ModelFile.ToBytes(model.Build()), options);
        return session.Run(("bits", SessionRuns.Tensor<int>([bits]))).Data;
    }
}
