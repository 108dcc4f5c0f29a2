using NestQuant.Onnx;
using NestQuant.Onnx.Files;
using NestQuant.Passes.Nesting;
using NestQuant.Passes.Tests.Models;
using NestQuant.RuntimeOps.Packing;
using NestQuant.TestSupport;

namespace NestQuant.Passes.Tests.HalfPrecision;

/// <summary>Whole compilations of models of 16 bits: what they compute, and how large their files are.</summary>
public sealed class HalfModelTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("nestquant-half-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Theory]
    [InlineData(TensorDataType.Float16, ActivationMode.WeightOnly, 0.01f)]
    [InlineData(TensorDataType.Float16, ActivationMode.Dynamic, 0.05f)]
    [InlineData(TensorDataType.BFloat16, ActivationMode.WeightOnly, 0.02f)]
    public void ComputesWhatTheSourceDoes(TensorDataType type, ActivationMode mode, float tolerance)
    {
        CompileResult result = Compile(Network().InHalf(type), mode);
        TensorValue x = TensorValue.Random(1, 64);
        float[] expected = ModelRunner.Run(Network(), ("x", x.Rounded(type)))["y"].Floats;
        float[] actual = ModelRunner.Run(result.Model, ("x", x.InHalf(type)))["y"].Widened();
        Closeness.AssertClose(expected, actual, tolerance);
        Assert.Equal(
            [2 * 64 * 512, 2 * 64 * 512],
            result.Decisions.Decisions.Select(static decision => decision.Nesting?.SourceBytes).OfType<long>());
    }

    /// <summary>A weight that stays float would double otherwise.</summary>
    [Fact]
    public void FilesAreSmallerThanTheSource()
    {
        ModelProto source = Network().InHalf();
        string path = Path.Combine(_folder.FullName, "m.onnx");
        long bytes = Compile(source, ActivationMode.Dynamic).Save(path).Sum(static file => file.Bytes);
        Assert.InRange(bytes, 1, ModelFile.ToBytes(source).Length);
        ModelProto saved = ModelFile.Load(path);
        TensorProto kept = saved.Graph!.Initializer.Find(static tensor => tensor.Name == "kept_half")!;
        Assert.Equal((TensorDataType.Float16, "data"), (kept.DataType, kept.ExternalGroup));

        byte[] before = ModelFile.ToBytes(saved);
        Assert.Equal(before, ModelFile.ToBytes(Compile(saved, ActivationMode.Dynamic).Model));
    }

    [Fact]
    public void AnOldModelIsUpgraded()
    {
        ModelProto model = new GraphBuilder().Input("x", 1, 3, 4, 4).Random("W", 5, 3, 3, 3).Node("a = Conv(x, W)")
            .Node("y = Clip(a)", AttributeProto.Float("min", 0), AttributeProto.Float("max", 6)).Output("y").Model(opset: 9).InHalf();
        CompileResult result = Compile(model, ActivationMode.WeightOnly);
        Assert.Contains(result.Decisions.Decisions, static decision => decision.Note == "operator set 9 -> 18");
        ModelRunner.Open(result.Model).Dispose();
    }

    /// <summary>With a large factor that no operator has as its weight.</summary>
    private static ModelProto Network() => new GraphBuilder().Input("x", 1, 64).Random("W", 64, 512).Random("kept", 1, 512)
        .Random("V", 512, 64).Node("a = MatMul(x, W)").Node("b = Mul(a, kept)").Node("c = Tanh(b)").Node("y = MatMul(c, V)").Output("y")
        .Model();

    private static CompileResult Compile(ModelProto model, ActivationMode mode) => NestQuantCompiler.Compile(
        model,
        new CompilerOptions { Weights = new() { Bits = new NestedBits(8, 6) }, Activations = new() { Mode = mode } });
}
