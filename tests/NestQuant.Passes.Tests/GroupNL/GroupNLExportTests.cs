using Microsoft.ML.OnnxRuntime;
using NestQuant.Compiler.Pipeline;
using NestQuant.Onnx;
using NestQuant.Onnx.Files;
using NestQuant.Onnx.Graph;
using NestQuant.Onnx.Text;
using NestQuant.Passes.GroupNL;
using NestQuant.Passes.Tests.GoldenModels;
using NestQuant.Passes.Tests.Models;
using Snapshooter;
using Snapshooter.Xunit;

namespace NestQuant.Passes.Tests.GroupNL;

/// <summary>The authors' module as PyTorch exports it, alone and in trained models, through the whole pipeline.</summary>
public sealed class GroupNLExportTests
{
    private static readonly CompilerOptions Fuse = new(), Off = new() { GroupNL = new() { Mode = GroupNLMode.Off } };

    public static TheoryData<string> Golden => ["digits-gnl", "digits-gnl-sparse"];

    [SkippableTheory]
    [InlineData("block-std-r2-fixed", 16, 4)]
    [InlineData("block-std-r2-dynamic", 16, 3)]
    [InlineData("block-std-r2-shuffle-fixed", 16, 1)]
    [InlineData("block-sparse-r2-dynamic", 32, 3)]
    public void AnExportedBlockBecomesOneOperator(string name, long channels, long batch)
    {
        string? path = SharedAssets.Find($"gnl-exports/{name}.onnx");
        Skip.If(path is null, "../shared/assets/gnl-exports is not there");
        ModelProto source = ModelFile.Load(path!), fused = NestQuantCompiler.Compile(ModelFile.Load(path!), Fuse).Model;
        if (source.Graph!.Input[0].Type!.TensorType!.Shape!.Dim[0].DimValue is { } fixedBatch) batch = fixedBatch;
        Assert.Equal(["Conv", "GroupNLExpand"], fused.AllNodes().Select(static node => node.OpType));
        TensorValue x = TensorValue.Random(batch, channels, 8, 8);
        TensorValue expected = ModelRunner.Run(source, ("input", x))["logits"], actual = ModelRunner.Run(fused, ("input", x))["logits"];
        Closeness.AssertClose(expected, actual, 1e-5f);
    }

    [Theory]
    [MemberData(nameof(Golden))]
    public void AFusedModelYieldsTheSame(string name)
    {
        ModelProto fused = NestQuantCompiler.Compile(GoldenModel.Load(name), Fuse).Model;
        Assert.Equal(2, fused.AllNodes().Count(static node => node.OpType == "GroupNLExpand"));
        Assert.DoesNotContain(fused.AllNodes(), static node => node.OpType is "Sin" or "BatchNormalization" or "Split" or "Shape");
        float[] expected = Logits(GoldenModel.Load(name)), actual = Logits(fused);
        Closeness.AssertClose(expected, actual, 1e-5f);
        Assert.Equal(GoldenModel.Top1(expected, GoldenModel.TestLabels), GoldenModel.Top1(actual, GoldenModel.TestLabels));
        Assert.Equal(Classes(expected), Classes(actual));
    }

    [Theory]
    [MemberData(nameof(Golden))]
    public void TheTextOfAFusedModelIsAsCheckedIn(string name) => Snapshot.Match(
        ModelText.Print(
            NestQuantCompiler.Compile(GoldenModel.Load(name), Fuse)
                .Model), new SnapshotFullName($"{name}.fused.txt", GoldenModel.SourceFolder));

    [Theory]
    [MemberData(nameof(Golden))]
    public void TurnedOffTheBlocksStay(string name)
    {
        ModelProto model = NestQuantCompiler.Compile(GoldenModel.Load(name), Off).Model;
        Assert.Equal(2, model.AllNodes().Count(static node => node.OpType == "Sin"));
        Assert.DoesNotContain(model.OpsetImport, static opset => opset.Domain == "com.nestquant");
        Assert.Equal("nest=off groupnl=off", model.MetadataProps.Single(static entry => entry.Key == Provenance.OptionsKey).Value);
    }

    [Theory]
    [MemberData(nameof(Golden))]
    public void CompilingAFusedModelAgainChangesNothing(string name)
    {
        ModelProto model = NestQuantCompiler.Compile(GoldenModel.Load(name), Fuse).Model;
        byte[] bytes = ModelFile.ToBytes(model);
        Assert.False(NestQuantCompiler.CreatePipeline(Fuse).Run(new ModelContext(model)).Changed);
        Assert.Equal(bytes, ModelFile.ToBytes(NestQuantCompiler.Compile(model, Fuse).Model));
    }

    [Theory]
    [InlineData("digits-cnn")]
    [InlineData("digits-mbv2")]
    public void AModelWithoutGroupNLIsTheSameWithAndWithoutThePass(string name)
    {
        ModelProto fused = NestQuantCompiler.Compile(GoldenModel.Load(name), Fuse).Model,
            off = NestQuantCompiler.Compile(GoldenModel.Load(name), Off).Model;
        fused.MetadataProps.Clear();
        off.MetadataProps.Clear();
        Assert.Equal(ModelFile.ToBytes(off), ModelFile.ToBytes(fused));
        Assert.DoesNotContain(fused.OpsetImport, static opset => opset.Domain == "com.nestquant");
    }

    private static float[] Logits(ModelProto model)
    {
        using InferenceSession session = ModelRunner.Open(model);
        return GoldenModel.Logits(session, GoldenModel.TestImages);
    }

    private static int[] Classes(float[] logits) => [.. logits.Chunk(10).Select(static row => row.AsSpan().IndexOf(row.Max()))];
}
