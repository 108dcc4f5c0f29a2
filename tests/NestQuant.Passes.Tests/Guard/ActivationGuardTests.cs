using NestQuant.Compiler.Pipeline;
using NestQuant.Onnx;
using NestQuant.Onnx.Files;
using NestQuant.Onnx.Text;
using NestQuant.Passes.Calibration;
using NestQuant.Passes.Guard;
using NestQuant.Passes.Nesting;
using NestQuant.Passes.Tests.Calibration;
using NestQuant.Passes.Tests.Models;
using NestQuant.RuntimeOps.Packing;
using NestQuant.TestSupport;
using Snapshooter.Xunit;

namespace NestQuant.Passes.Tests.Guard;

/// <summary>
/// Networks in which one channel of one activation is 1000 times larger than the others, and means nothing to the layer that reads it.
/// </summary>
public sealed class ActivationGuardTests : IDisposable
{
    private const int Rows = 12, Inputs = 8, Hidden = 16, Outlier = 3;

    private static readonly TensorValue Samples = TensorValue.Random(Rows, Inputs);

    private readonly ArrayData _data = new([Rows, Inputs], Samples.Floats);

    public void Dispose() => _data.Dispose();

    [Theory]
    [InlineData(ActivationMode.Dynamic)]
    [InlineData(ActivationMode.Static)]
    public void Only_the_layer_that_reads_the_outlier_is_weight_only(ActivationMode mode)
    {
        CompileResult without = Compile(Chain(), mode, guard: null), with = Compile(Chain(), mode);
        Assert.InRange(Sqnr(Chain(), without), double.NegativeInfinity, 15);
        Assert.InRange(Sqnr(Chain(), with), 30, double.PositiveInfinity);
        Assert.Equal(1, Count(with, "NestedFloatGemm"));
        Assert.DoesNotContain("weight-only", Note(with, "first") ?? "", StringComparison.Ordinal);
        Assert.StartsWith("weight-only: 'r' stays float: output 'y' has ", Note(with, "second"), StringComparison.Ordinal);
    }

    [Fact]
    public void The_decisions_give_all_numbers()
    {
        CompileResult result = Compile(Chain(), ActivationMode.Static);
        string.Join('\n', Texts(result)).MatchSnapshot();
    }

    [Fact]
    public void An_operator_without_weights_that_reads_the_outlier_stays_float()
    {
        ModelProto Gated() => Start().Node("gate: u = Sigmoid(r)").Node("second: y = MatMul(u, w2)").Output("y").Model();
        CompileResult result = Compile(Gated(), ActivationMode.Static);
        Assert.InRange(Sqnr(Gated(), Compile(Gated(), ActivationMode.Static, guard: null)), double.NegativeInfinity, 20);
        Assert.InRange(Sqnr(Gated(), result), 30, double.PositiveInfinity);
        Assert.Equal(1, Count(result, "Sigmoid"));
        Assert.Equal(0, Count(result, "NestedDequantizeLinear"));
        Assert.StartsWith(
            "'r' stays float",
            Assert.Single(
                result.Decisions.Decisions, static decision => decision is { Pass: "activation-quantization", Op: "Relu" }).Reason,
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(ActivationMode.Dynamic)]
    [InlineData(ActivationMode.Static)]
    public void A_subgraph_and_a_model_without_layers_pass(ActivationMode mode)
    {
        ModelProto empty = new GraphBuilder().Input("x", -1, Inputs).Node("y = Relu(x)").Output("y").Model();
        Assert.DoesNotContain(Compile(empty, mode).Decisions.Decisions, IsGuard);

        GraphProto branch = new GraphBuilder("then").Node("second: t = MatMul(r, w2)").Output("t").Graph;
        GraphProto other = new GraphBuilder("else").Node("third: e = MatMul(r, w2)").Output("e").Graph;
        ModelProto InBranches() => Start()
            .Node("s = ReduceSum(x)", AttributeProto.Int("keepdims", 0))
            .Node("c = Greater(s, zero)")
            .Node("y = If(c)", AttributeProto.Graph("then_branch", branch), AttributeProto.Graph("else_branch", other))
            .Floats("zero", [], 0)
            .Output("y")
            .Model();
        CompileResult result = Compile(InBranches(), mode);
        Assert.Contains(result.Decisions.Decisions, IsGuard);
        Assert.InRange(Sqnr(InBranches(), result), 30, double.PositiveInfinity);
    }

    [Theory]
    [InlineData(ActivationMode.Dynamic)]
    [InlineData(ActivationMode.Static)]
    public void A_guard_that_has_nothing_to_keep_changes_nothing(ActivationMode mode) => Assert.Equal(
        ModelText.Print(Compile(Chain(), mode, guard: null).Model),
        ModelText.Print(Compile(Chain(), mode, new ActivationGuard(_data.Set) { Decibels = 99 }).Model));

    [Fact]
    public void The_result_does_not_depend_on_the_number_of_threads() => Assert.Equal(
        ModelFile.ToBytes(Compile(Chain(), ActivationMode.Static, threads: 1).Model),
        ModelFile.ToBytes(Compile(Chain(), ActivationMode.Static, threads: 3).Model));

    [Theory]
    [InlineData(-1)]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    public void A_bound_is_a_finite_number_of_dB(double decibels) =>
        Assert.Throws<ArgumentException>(() => new ActivationGuard(_data.Set) { Decibels = decibels });

    private static GraphBuilder Start()
    {
        var first = new float[Inputs * Hidden];
        var second = new float[Hidden * 6];
        var random = new Random(5);
        for (int i = 0; i < first.Length; i++) first[i] = (random.NextSingle() - 0.5f) * (i % Hidden == Outlier ? 1000 : 1);
        for (int i = 0; i < second.Length; i++) second[i] = i / 6 == Outlier ? 0 : random.NextSingle() - 0.5f;
        return new GraphBuilder()
            .Input("x", -1, Inputs)
            .Floats("w1", [Inputs, Hidden], first)
            .Floats("w2", [Hidden, 6], second)
            .Node("first: m = MatMul(x, w1)")
            .Node("r = Relu(m)");
    }

    private static ModelProto Chain() => Start().Node("second: y = MatMul(r, w2)").Output("y").Model();

    private CompileResult Compile(ModelProto model, ActivationMode mode, int threads = 2) =>
        Compile(model, mode, new ActivationGuard(_data.Set), threads);

    private CompileResult Compile(ModelProto model, ActivationMode mode, ActivationGuard? guard, int threads = 2) =>
        NestQuantCompiler.Compile(model, new CompilerOptions
        {
            Weights = new() { Bits = new NestedBits(8, 6) },
            Activations = new() { Mode = mode, Ranges = new DataCalibration(_data.Set), Guard = guard },
            Threads = threads,
        });

    private static double Sqnr(ModelProto model, CompileResult result)
    {
        float[] expected = ModelRunner.Run(model, ("x", Samples))["y"].Floats;
        float[] actual = ModelRunner.Run(result.Model, ("x", Samples))["y"].Floats;
        double noise = expected.Zip(actual, static (a, b) => Math.Pow(a - b, 2)).Sum();
        return 10 * Math.Log10(expected.Sum(static value => (double)value * value) / noise);
    }

    private static int Count(CompileResult result, string op) => result.Model.Graph!.Node.Count(node => node.OpType == op);

    private static bool IsGuard(Decision decision) => decision.Pass == "activation-guard";

    private static string? Note(CompileResult result, string node) =>
        Assert.Single(result.Decisions.Decisions, decision => decision.Pass == NestingPass.PassName && decision.Node == node).Note;

    private static IEnumerable<string> Texts(CompileResult result) =>
        result.Decisions.Decisions
            .Where(static decision => (decision.Reason ?? decision.Note)?.Contains("stay", StringComparison.Ordinal) ?? false)
            .Select(static decision => $"{decision.Pass} {decision.Node} {decision.Op}: {decision.Reason ?? decision.Note}");
}
