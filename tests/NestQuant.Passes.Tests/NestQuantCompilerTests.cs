using Microsoft.ML.OnnxRuntime;
using NestQuant.Compiler.Pipeline;
using NestQuant.Onnx;
using NestQuant.Onnx.Files;
using NestQuant.Onnx.Graph;
using NestQuant.Onnx.Validation;
using NestQuant.Passes.Nesting;
using NestQuant.Passes.Tests.GoldenModels;
using NestQuant.Passes.Tests.Models;
using NestQuant.RuntimeOps;
using NestQuant.RuntimeOps.Packing;
using NestQuant.TestSupport;

namespace NestQuant.Passes.Tests;

/// <summary>The whole compiler on the golden models: deterministic, a fixed point, lossless, and its files run.</summary>
public sealed class NestQuantCompilerTests
{
    private static readonly CompilerOptions Options = new()
    {
        Weights = new() { Bits = new NestedBits(8, 6) },
        SourceSha256 = new string('a', 64),
    };

    private static readonly CompilerOptions WeightOnly = Options with { Activations = new() { Mode = ActivationMode.WeightOnly } };

    public static TheoryData<string> Models => [.. GoldenModel.Names];

    [Theory]
    [MemberData(nameof(Models))]
    public void RunsAndThreadsGiveTheSameBytes(string name)
    {
        byte[] once = Compile(name, threads: 1), again = Compile(name, threads: 1), threaded = Compile(name, threads: 2);
        Assert.Equal(once, again);
        Assert.Equal(once, threaded);

        static byte[] Compile(string name, int threads) =>
            ModelFile.ToBytes(NestQuantCompiler.Compile(GoldenModel.Load(name), Options with { Threads = threads }).Model);
    }

    [Theory]
    [MemberData(nameof(Models))]
    public void CompilingTheResultAgainChangesNothing(string name)
    {
        ModelProto model = NestQuantCompiler.Compile(GoldenModel.Load(name), Options).Model;
        ModelValidation.Verify(model);
        byte[] bytes = ModelFile.ToBytes(model);
        Assert.Equal(bytes, ModelFile.ToBytes(NestQuantCompiler.Compile(model, Options).Model));
        Assert.False(NestQuantCompiler.CreatePipeline(Options).Run(new ModelContext(model)).Changed);
    }

    [Theory]
    [MemberData(nameof(Models))]
    public void EveryConvGemmAndMatMulHasOneDecision(string name)
    {
        ModelProto source = GoldenModel.Load(name);
        string[] candidates =
        [
            .. source.AllNodes().Where(static node => node.OpType is "Conv" or "Gemm" or "MatMul").Select(static node => node.DisplayName())
        ];
        CompileResult result = NestQuantCompiler.Compile(source, Options);
        Assert.Equal(
            candidates,
            result.Decisions.Decisions.Where(static decision => decision.Pass == "nesting").Select(static decision => decision.Node));
        Assert.All(
            result.Decisions.Decisions, static decision => Assert.True(decision.Pass != "nesting" || decision.Rewritten, decision.Reason));
    }

    /// <summary>Without nesting, only structure changes: constants, identities, batch norm.</summary>
    [Theory]
    [MemberData(nameof(Models))]
    public void WithoutNestingTheResultsStay(string name)
    {
        ModelProto compiled = NestQuantCompiler.Compile(GoldenModel.Load(name), new CompilerOptions()).Model;
        using InferenceSession before = ModelRunner.Open(GoldenModel.Load(name)), after = ModelRunner.Open(compiled);
        Closeness.AssertClose(GoldenModel.Logits(before, GoldenModel.TestImages), GoldenModel.Logits(after, GoldenModel.TestImages), 1e-5f);
        Assert.DoesNotContain(compiled.AllNodes(), static node => node.OpType is "Constant" or "Identity");
        Assert.Equal("nest=off", compiled.MetadataProps.Single(static entry => entry.Key == Provenance.OptionsKey).Value);
    }

    [Theory]
    [MemberData(nameof(Models))]
    public void NestedWeightsAreThoseOfTheFoldedModel(string name)
    {
        ModelProto folded = NestQuantCompiler.Compile(GoldenModel.Load(name), new CompilerOptions()).Model;
        ModelProto nested = NestQuantCompiler.Compile(GoldenModel.Load(name), WeightOnly).Model;
        using InferenceSession expected = ModelRunner.Open(
            Nesting.DequantizedModel.Of(folded, nested, part: false)), actual = ModelRunner.Open(nested);
        Closeness.AssertClose(
            GoldenModel.Logits(expected, GoldenModel.TestImages), GoldenModel.Logits(actual, GoldenModel.TestImages), 1e-5f);
    }

    [Fact]
    public void ProvenanceSaysWhereTheModelComesFrom()
    {
        ModelProto model = NestQuantCompiler.Compile(
            GoldenModel.Load("digits-cnn"),
            Options with { Weights = Options.Weights with { Rounding = WeightRounding.Nearest, Exclude = ["/*conv1*"] } }).Model;
        Dictionary<string, string> properties = model.MetadataProps.ToDictionary(
            static entry => entry.Key!, static entry => entry.Value ?? "", StringComparer.Ordinal);
        Assert.Equal("nest=8:6 rounding=nearest weights=symmetric activations=dynamic exclude=/*conv1*", properties[Provenance.OptionsKey]);
        Assert.Equal(new string('a', 64), properties[Provenance.SourceKey]);
        Assert.Equal(Provenance.Version, properties[Provenance.VersionKey]);
        Assert.Single(Provenance.ReadDecisions(model)!.Decisions, static decision => decision is { Pass: "nesting", Rewritten: false });
    }

    [Fact]
    public void AFileOutOfOrderIsCompiled()
    {
        ModelProto model = new GraphBuilder().Input("x", 2, 3).Random("w", 3, 4)
            .Node("y = Neg(a)").Node("a = MatMul(b, w)").Node("b = Abs(x)").Output("y").Model();
        (string, TensorValue) x = ("x", TensorValue.Random(2, 3));
        TensorValue expected = ModelRunner.Run(model, x)["y"];

        ModelProto compiled = NestQuantCompiler.Compile(ModelFile.Load(ModelFile.ToBytes(model)), new CompilerOptions()).Model;

        Closeness.AssertClose(expected, ModelRunner.Run(compiled, x)["y"], 0);
    }

    [Fact]
    public void AModelOutOfOrderIsRefused()
    {
        ModelProto model = new GraphBuilder().Input("x", 2).Node("y = Neg(a)").Node("a = Abs(x)").Output("y").Model();
        Assert.Contains(
            "topological order",
            Assert.Throws<ModelException>(() => NestQuantCompiler.Compile(model, Options)).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void ExcludeWithoutNestingIsRefused() =>
        Assert.Throws<ArgumentException>(
            () => NestQuantCompiler.Compile(GoldenModel.Load("digits-cnn"), new CompilerOptions
            {
                Weights = new() { Exclude = ["*"] },
            }));

    [Fact]
    public void ATransposedWeightIsNested()
    {
        ModelProto model = new GraphBuilder()
            .Input("x", 2, 3)
            .Random("W", 4, 3)
            .Node("t = Transpose(W)", AttributeProto.IntList("perm", 1, 0))
            .Node("y = MatMul(x, t)")
            .Output("y")
            .Model();
        Assert.Contains("NestedGemm", NestQuantCompiler.Compile(model, Options).Model.AllNodes().Select(static node => node.OpType));
    }

    /// <summary>
    /// The dead reader of h goes before batch norm looks for h's only reader, so that a second run finds nothing left to do.
    /// </summary>
    [Fact]
    public void ADeadReaderIsNoReader()
    {
        ModelProto model = new GraphBuilder().Input("x", 1, 3, 5, 5).Random("W", 3, 3, 1, 1).Random("p", 3).Floats("v", [3], 1, 2, 3)
            .Node("h = Conv(x, W)").Node("y = BatchNormalization(h, p, p, p, v)").Node("dead = Neg(h)").Output("y").Model();
        Assert.Equal(["Conv"], NestQuantCompiler.Compile(model, new CompilerOptions()).Model.AllNodes().Select(static node => node.OpType));
    }

    /// <summary>
    /// The part model and the high file run alone; adding the low file and the full model makes both precisions available.
    /// </summary>
    [Fact]
    public void SavedFilesRunFromDisk()
    {
        string folder = Directory.CreateTempSubdirectory("nestquant-").FullName;
        try
        {
            CompileResult result = NestQuantCompiler.Compile(GoldenModel.Load("digits-mbv2"), Options);
            string full = Path.Combine(folder, "m.onnx"),
                part = Path.Combine(folder, "m.part.onnx"),
                low = Path.Combine(folder, "m.low.bin"),
                away = Path.Combine(folder, "away");
            Assert.Equal(
                ["m.data.bin", "m.high.bin", "m.low.bin", "m.onnx", "m.part.onnx"],
                result.Save(full).Select(static file => Path.GetFileName(file.Path)));
            Assert.Equal(
                ["m.data.bin", "m.high.bin", "m.low.bin", "m.onnx", "m.part.onnx"],
                Directory.EnumerateFiles(folder).Select(Path.GetFileName).Order(StringComparer.Ordinal));

            using InferenceSession inMemory = ModelRunner.Open(result.Model);
            float[] expected = GoldenModel.Logits(inMemory, GoldenModel.TestImages, 6);
            File.Move(low, away);
            Assert.Equal(expected, Logits(part, bits: null));
            Assert.Throws<OnnxRuntimeException>(() => Logits(full, bits: null));
            File.Move(away, low);
            Assert.Equal(expected, Logits(full, 6));
            Assert.Equal(GoldenModel.Logits(inMemory, GoldenModel.TestImages), Logits(full, bits: null));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }

        static float[] Logits(string path, int? bits)
        {
            using var options = new SessionOptions { LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL };
            using var session = new InferenceSession(path, options.RegisterNestQuantOps());
            return GoldenModel.Logits(session, GoldenModel.TestImages, bits);
        }
    }
}
