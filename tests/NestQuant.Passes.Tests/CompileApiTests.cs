using Microsoft.Extensions.Logging;
using NestQuant.Compiler.Pipeline;
using NestQuant.Onnx;
using NestQuant.Onnx.Files;
using NestQuant.Onnx.Graph;
using NestQuant.Passes.Folding;
using NestQuant.Passes.GroupNL;
using NestQuant.Passes.Integer;
using NestQuant.Passes.Integer.ActivationQuantization;
using NestQuant.Passes.Nesting;
using NestQuant.Passes.Tests.GoldenModels;
using NestQuant.Passes.Tests.Integer.ActivationQuantization;
using NestQuant.Passes.Tests.Models;
using NestQuant.RuntimeOps.Packing;
using NestQuant.TestSupport;

namespace NestQuant.Passes.Tests;

/// <summary>What an integrator can rely on: pipelines of their own, an argument that stays, files as the tool writes them.</summary>
public sealed class CompileApiTests
{
    private static readonly CompilerOptions Options = new() { Weights = new() { Bits = new NestedBits(8, 6) } };

    [Fact]
    public void TheArgumentStaysAsItIs()
    {
        ModelProto source = GoldenModel.Load("digits-cnn-bn");
        byte[] before = ModelFile.ToBytes(source);
        CompileResult result = NestQuantCompiler.Compile(source, Options);
        Assert.Equal(before, ModelFile.ToBytes(source));
        Assert.NotSame(source, result.Model);
        Assert.Same(source, NestQuantCompiler.CompileInPlace(source, Options).Model);
        Assert.Equal(ModelFile.ToBytes(result.Model), ModelFile.ToBytes(source));
    }

    [Fact]
    public void ThePipelineOfTheOptionsGivesTheSameBytes()
    {
        ModelProto source = GoldenModel.Load("digits-cnn");
        CompileResult own = NestQuantCompiler.Compile(source, NestQuantCompiler.CreatePipeline(Options), Options);
        Assert.Equal(ModelFile.ToBytes(NestQuantCompiler.Compile(source, Options).Model), ModelFile.ToBytes(own.Model));
    }

    [Fact]
    public void AnEditedPipelineIsInTheProvenance()
    {
        PassPipeline pipeline = NestQuantCompiler.CreatePipeline(Options)
            .Remove<BatchNormFoldingPass>()
            .InsertBefore<NestingPass>(new Renaming());
        CompileResult result = NestQuantCompiler.Compile(GoldenModel.Load("digits-cnn"), pipeline, Options);
        string text = result.Model.MetadataProps.Single(static entry => entry.Key == Provenance.OptionsKey).Value;
        Assert.Contains(",renaming,nesting,", text, StringComparison.Ordinal);
        Assert.DoesNotContain("batch-norm-folding", text, StringComparison.Ordinal);
        Assert.Contains(result.Decisions.Decisions, static decision => decision is { Pass: "renaming", Rewritten: true });
        Assert.Equal(
            result.Decisions.Decisions.Count, Provenance.ReadDecisions(result.Model)!.Decisions.Count);
    }

    [Fact]
    public void NestingMayComeBeforeFolding()
    {
        PassPipeline pipeline = new PassPipeline()
            .Use(new NestingPass(Options.Weights))
            .Use(new ConstantFoldingPass())
            .Use(new BatchNormFoldingPass());
        CompileResult result = NestQuantCompiler.Compile(GoldenModel.Load("digits-cnn"), pipeline);
        Assert.NotEmpty(NestedOperator.Of(result.Model));
    }

    [Fact]
    public void AnOrderThatCannotWorkIsRefused()
    {
        Refuse(
            "activation-quantization has to come before nesting, since nesting takes up the activations that it quantizes",
            new NestingPass(Options.Weights),
            new ActivationQuantizationPass(Options.Weights, new MeasuredRanges()));
        Refuse("groupnl-expansion has to come before nesting", new NestingPass(Options.Weights), new GroupNLExpandPass(new()));
        Refuse("nesting has to come before bias-fusion", new BiasFusionPass(), new NestingPass(Options.Weights));

        static void Refuse(string message, params IGraphPass[] passes)
        {
            var pipeline = new PassPipeline();
            foreach (IGraphPass pass in passes) pipeline.Use(pass);
            Assert.Contains(
                message,
                Assert.Throws<ArgumentException>(() => NestQuantCompiler.Compile(GoldenModel.Load("digits-cnn"), pipeline)).Message,
                StringComparison.Ordinal);
        }
    }

    [Fact]
    public void PassesThatStartAndEndAreReported()
    {
        var progress = new ListProgress();
        NestQuantCompiler.Compile(GoldenModel.Load("digits-cnn"), Options with { Progress = progress });
        string[] passes = [.. NestQuantCompiler.CreatePipeline(Options).Passes.Select(static pass => pass.Name)];
        Assert.Equal(
            passes, progress.Reports.Where(static report => report is { Total: 0, Duration: null }).Select(static report => report.Pass));
        Assert.Equal(passes, progress.Reports.Where(static report => report.Duration is not null).Select(static report => report.Pass));
    }

    [Fact]
    public void OptionErrorsAreInTheTermsOfTheOptions()
    {
        Refuse(new CompilerOptions { Threads = 0 }, "Threads is 0");
        Refuse(Options with { Activations = new() { Mode = ActivationMode.Static } }, "Ranges");
        Refuse(new CompilerOptions { Weights = new() { Include = ["a"] } }, "Weights: Include");

        static void Refuse(CompilerOptions options, string message) => Assert.Contains(
            message,
            Assert.Throws<ArgumentException>(() => NestQuantCompiler.CreatePipeline(options)).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void NoFileAppearsWhereOnnxRuntimeDoesNotLoadTheResult()
    {
        ModelProto model = new GraphBuilder().Input("x", 2).Node("y = somewhere.Foreign(x)").Output("y").Model(domains: "somewhere");
        string folder = Directory.CreateTempSubdirectory("nestquant-").FullName;
        try
        {
            string path = Path.Combine(folder, "new", "m.onnx");
            CompileResult result = NestQuantCompiler.Compile(model, new CompilerOptions());
            Assert.Contains(
                "CheckOptions.CustomOps", Assert.Throws<ModelException>(() => result.Save(path)).Message, StringComparison.Ordinal);
            Assert.Empty(Directory.EnumerateFileSystemEntries(folder, "*.onnx", SearchOption.AllDirectories));
            SavedFile file = Assert.Single((result with { Check = new CheckOptions { LoadResult = false } }).Save(path));
            Assert.Equal((path, new FileInfo(path).Length), (file.Path, file.Bytes));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private sealed class ListProgress : IProgress<PassProgress>
    {
        public List<PassProgress> Reports { get; } = [];

        public void Report(PassProgress value) => Reports.Add(value);
    }

    private sealed class Renaming : IGraphPass
    {
        public string Name => "renaming";

        public PassResult Run(ModelContext context)
        {
            foreach (NodeProto node in context.Model.AllNodes())
            {
                context.Decisions.Rewritten(Name, node.DisplayName(), node.OpType);
                node.Name = "renamed " + node.DisplayName();
            }

            return new PassResult(Changed: true);
        }
    }
}
