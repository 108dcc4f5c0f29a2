using Microsoft.ML.OnnxRuntime;
using NestQuant.Onnx;
using NestQuant.Onnx.Files;
using NestQuant.Onnx.Graph;
using NestQuant.Passes.Nesting;
using NestQuant.Passes.Operators;
using NestQuant.Passes.Tests.GoldenModels;
using NestQuant.Passes.Tests.Models;
using NestQuant.Passes.Verification;
using NestQuant.RuntimeOps;
using NestQuant.RuntimeOps.Packing;
using NestQuant.RuntimeOps.Schema;
using NestQuant.TestSupport;

namespace NestQuant.Passes.Tests.Nesting;

/// <summary>The files of a model with three levels: a device runs with any prefix of them, and tells what it lacks.</summary>
public sealed class LevelFilesTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void EveryPrefixOfTheFilesRunsAtItsPrecisions()
    {
        CompileResult result = Compile("8:6:4");
        Assert.Equal(
            ["m.high.bin", "m.low.6.bin", "m.low.8.bin", "m.onnx", "m.part.6.onnx", "m.part.onnx"],
            Names(result.Save(_folder.File("m.onnx"))).Order(StringComparer.Ordinal));
        using InferenceSession whole = ModelRunner.Open(result.Model);
        AssertRuns("m.onnx", whole, [8, 6, 4]);
        File.Delete(_folder.File("m.low.8.bin"));
        AssertRuns("m.part.6.onnx", whole, [6, 4]);
        File.Delete(_folder.File("m.low.6.bin"));
        AssertRuns("m.part.onnx", whole, [4]);
    }

    [Fact]
    public void WhatALevelLacksIsSaid()
    {
        Compile("8:6:4").Save(_folder.File("m.onnx"));
        using InferenceSession part = Open("m.part.6.onnx");
        string message = Assert.Throws<OnnxRuntimeException>(() => Logits(part, 8)).Message;
        Assert.Contains("W_low_2", message, StringComparison.Ordinal);

        File.Delete(_folder.File("m.low.8.bin"));
        Assert.Contains(
            "'m.low.8.bin'", Assert.Throws<ModelException>(() => ModelFile.Load(_folder.File("m.onnx"))).Message, StringComparison.Ordinal);
        VerificationProblem problem = Assert.Single(ModelVerification.Of(_folder.File("m.onnx")).Problems);
        Assert.EndsWith("m.low.8.bin", problem.File, StringComparison.Ordinal);
        Assert.Empty(ModelVerification.Of(_folder.File("m.part.6.onnx")).Problems);
    }

    /// <summary>A weight whose lower step is absent has no level above it, though the operand of the next step is there.</summary>
    [Fact]
    public void AStepNeedsThoseBelowIt()
    {
        ModelProto model = Compile("8:6:4").Model;
        foreach (NodeProto node in model.AllNodes().Where(SchemaNodes.IsNested))
            node.Input[node.PositionOf(InputNames.WeightStep(1))] = "";
        Assert.Equal([4], NestedPrecisions.Of(model)!.Bits);
        NestedOperator nested = NestedOperator.Of(model)[0];
        Assert.Equal(4, nested.Highest);
        Assert.Contains(
            "no operand 'W_low', which more than 4 bits need",
            Assert.Throws<ModelException>(() => nested.Integers(8)).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void AStepFileOfAnotherCompileIsFound()
    {
        Compile("8:6:4").Save(_folder.File("m.onnx"));
        Compile("8:6:4", WeightRounding.Nearest).Save(_folder.File("other/m.onnx"));
        File.Copy(_folder.File("other/m.low.6.bin"), _folder.File("m.low.6.bin"), overwrite: true);
        VerificationProblem problem = Assert.Single(ModelVerification.Of(_folder.File("m.onnx")).Problems);
        Assert.EndsWith("m.low.6.bin", problem.File, StringComparison.Ordinal);
        Assert.Contains("belongs to another compilation", problem.Problem, StringComparison.Ordinal);
        Assert.Throws<OnnxRuntimeException>(() => Open("m.onnx"));
        Assert.Empty(ModelVerification.Of(_folder.File("m.part.onnx")).Problems);
    }

    /// <summary>Operands of the same length in each other's place.</summary>
    [Fact]
    public void StepsThatAreExchangedAreFound()
    {
        ModelProto model = Compile("8:6:4").Model;
        NodeProto node = model.AllNodes().First(SchemaNodes.IsNested);
        (int first, int second) = (node.PositionOf(InputNames.WeightStep(1)), node.PositionOf(InputNames.WeightStep(2)));
        (node.Input[first], node.Input[second]) = (node.Input[second], node.Input[first]);
        Assert.Contains("operand", Assert.Throws<ModelException>(() => NestedOperator.Of(model)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ALoadedModelKeepsItsFilesApart()
    {
        Compile("8:6:4").Save(_folder.File("m.onnx"));
        IReadOnlyList<SavedFile> again = ModelFile.Save(ModelFile.Load(_folder.File("m.onnx")), _folder.File("again/n.onnx"));
        Assert.Equal(["n.high.bin", "n.low.6.bin", "n.low.8.bin", "n.onnx"], Names(again).Order(StringComparer.Ordinal));
        again = ModelFile.Save(ModelFile.Load(_folder.File("m.part.6.onnx")), _folder.File("again/p.onnx"));
        Assert.Equal(["p.high.bin", "p.low.6.bin", "p.onnx"], Names(again).Order(StringComparer.Ordinal));
    }

    /// <summary>Weights of two levels take their places among the steps of the others.</summary>
    [Fact]
    public void AWeightOfTwoLevelsSharesTheFilesOfItsStep()
    {
        CompileResult result = Compile("8:6:4", rule: "8:5");
        Assert.Equal(
            ["m.high.bin", "m.low.6.bin", "m.low.8.bin", "m.onnx", "m.part.5.onnx", "m.part.6.onnx", "m.part.onnx"],
            Names(result.Save(_folder.File("m.onnx"))).Order(StringComparer.Ordinal));
        using InferenceSession whole = ModelRunner.Open(result.Model);
        AssertRuns("m.onnx", whole, [8, 6, 5, 4]);
        AssertRuns("m.part.6.onnx", whole, [6, 5, 4]);
        AssertRuns("m.part.5.onnx", whole, [5, 4]);
    }

    [Fact]
    public void ExpectedFilesAreThoseThatAreWritten()
    {
        foreach ((string bits, string? rule) in (IEnumerable<(string, string?)>)[("8:6", null), ("8:6:4", null), ("8:6", "8:5:3")])
        {
            string path = _folder.File($"{bits} {rule}".Replace(':', '-') + "/m.onnx");
            IReadOnlyList<string> expected = SavedModels.Expected(path, Options(bits, WeightRounding.Adaptive, rule).Weights);
            Assert.All(Compile(bits, rule: rule).Save(path), file => Assert.Contains(file.Path, expected));
        }
    }

    private void AssertRuns(string file, InferenceSession whole, int[] precisions)
    {
        Assert.Empty(ModelVerification.Of(_folder.File(file)).Problems);
        Assert.Equal(precisions, NestedPrecisions.Of(ModelFile.Load(_folder.File(file)))!.Bits);
        using InferenceSession session = Open(file);
        Assert.Equal(Logits(whole, precisions[0]), Logits(session, bits: null));
        foreach (int bits in precisions) Assert.Equal(Logits(whole, bits), Logits(session, bits));
    }

    private InferenceSession Open(string file)
    {
        using var options = new SessionOptions { LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL };
        return new InferenceSession(_folder.File(file), options.RegisterNestQuantOps());
    }

    private static float[] Logits(InferenceSession session, int? bits) => GoldenModel.Logits(session, GoldenModel.TestImages, bits);

    private static IEnumerable<string> Names(IEnumerable<SavedFile> files) => files.Select(static file => Path.GetFileName(file.Path));

    private static CompileResult Compile(string bits, WeightRounding rounding = WeightRounding.Adaptive, string? rule = null) =>
        NestQuantCompiler.Compile(GoldenModel.Load("digits-cnn"), Options(bits, rounding, rule));

    private static CompilerOptions Options(string bits, WeightRounding rounding, string? rule) => new()
    {
        Weights = new()
        {
            Bits = NestedBits.Parse(bits),
            Rounding = rounding,
            Rules = rule is null ? [] : [new WeightRule { Name = "/conv2/Conv", Bits = NestedBits.Parse(rule) }],
        },
    };
}
