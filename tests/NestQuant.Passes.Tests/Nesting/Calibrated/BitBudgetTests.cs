using NestQuant.Compiler.Pipeline;
using NestQuant.Onnx;
using NestQuant.Passes.Nesting;
using NestQuant.Passes.Tests.Calibration;
using NestQuant.Passes.Tests.GoldenModels;
using NestQuant.RuntimeOps.Packing;
using NestQuant.TestSupport;
using static NestQuant.Passes.Tests.Nesting.Calibrated.CalibratedCompile;

namespace NestQuant.Passes.Tests.Nesting.Calibrated;

/// <summary>A budget chooses the bits of every weight.</summary>
[Collection(SequentialTests.Name)]
public sealed class BitBudgetTests : IDisposable
{
    private readonly ArrayData _data = Digits(16);

    public void Dispose() => _data.Dispose();

    /// <summary>All weights take 9,120 bytes with 3 bits and 18,080 with 6.</summary>
    [Fact]
    public void HighBitsStayWithinTheBytes()
    {
        CompileResult result = Compile(new BitBudget { Bytes = 12_000 });
        NestedOperator[] nested = [.. NestedOperator.Of(result.Model)];

        Assert.InRange(nested.Sum(HighBytes), 10_000, 12_000);
        Assert.True(nested.Select(static node => node.Layout.Bits.High).Distinct().Count() > 1);
        Decision[] decisions = Decisions(result);
        Assert.Equal(nested.Length + 1, decisions.Length);
        foreach ((NestedOperator node, Decision decision) in nested.Zip(decisions))
            Assert.StartsWith($"{node.Layout.Bits.High} bits, output error ", decision.Note, StringComparison.Ordinal);
        (double[] bytes, double[] decibels) = Curve(decisions[^1]);
        Assert.Equal(nested.Sum(HighBytes), bytes[^1]);
        Assert.Equal(bytes.Order(), bytes);
        Assert.Equal(decibels.Order(), decibels);
    }

    [Fact]
    public void BitsAreAddedUntilTheErrorIsSmallEnough()
    {
        (double[] bytes, double[] decibels) = Curve(Decisions(Compile(new BitBudget { Decibels = 20 }))[^1]);
        Assert.True(decibels[^1] >= 20);
        Assert.All(decibels.SkipLast(1), value => Assert.True(value <= 20));
        Assert.True(bytes.Length > 1);
    }

    [Fact]
    public void RulesKeepTheirBits()
    {
        WeightOptions weights = Options(new BitBudget { Bytes = 12_000 }).Weights with
        {
            Rules = [new WeightRule { Name = "/conv1/Conv", Bits = new NestedBits(8, 7) }],
        };
        CompileResult result = NestQuantCompiler.Compile(GoldenModel.Load("digits-cnn"), CalibratedCompile.Options(weights));
        NestedOperator[] nested = [.. NestedOperator.Of(result.Model)];

        Assert.Equal(7, nested[0].Layout.Bits.High);
        Assert.InRange(nested.Sum(HighBytes), 10_000, 12_000);
        Assert.DoesNotContain(Decisions(result), static decision => decision.Node == "/conv1/Conv");
    }

    [Fact]
    public void WeightsThatAreZeroNeedNoMoreBits()
    {
        GraphBuilder graph = new GraphBuilder()
            .Input("input", -1, 1, 8, 8)
            .Random("w", 4, 1, 3, 3)
            .Floats("zero", [4, 4, 1, 1], new float[16])
            .Node("first: a = Conv(input, w)")
            .Node("second: b = Conv(a, zero)")
            .Output("b");
        NestedOperator[] nested =
            [.. NestedOperator.Of(NestQuantCompiler.Compile(graph.Model(), Options(new BitBudget { Decibels = 25 })).Model)];
        Assert.True(nested[0].Layout.Bits.High > 3);
        Assert.Equal(3, nested[1].Layout.Bits.High);
    }

    [Theory]
    [InlineData(50L, null, "the budget is 50 bytes, but the fewest bits of all weights already take ")]
    [InlineData(null, 90.0, "the budget asks for 90 dB, but ")]
    [InlineData(100L, 40.0, "the budget asks for 40 dB, but ")]
    public void ABudgetThatCannotBeKeptIsAnError(long? bytes, double? decibels, string message)
    {
        WeightOptions weights = Options(new BitBudget { Bytes = bytes, Decibels = decibels }).Weights with { Include = ["/conv1/Conv"] };
        ModelException error = Assert.Throws<ModelException>(
            () => NestQuantCompiler.Compile(GoldenModel.Load("digits-cnn"), CalibratedCompile.Options(weights)));
        Assert.StartsWith(message, error.Message, StringComparison.Ordinal);
    }

    /// <summary>Nothing is left to choose, yet the bytes count.</summary>
    [Fact]
    public void RulesAloneCanExceedABudget()
    {
        WeightOptions weights = Options(new BitBudget { Bytes = 12_000 }).Weights with
        {
            Rules = [new WeightRule { Name = "*", Bits = new NestedBits(8, 7) }],
        };
        ModelException error = Assert.Throws<ModelException>(
            () => NestQuantCompiler.Compile(GoldenModel.Load("digits-cnn"), CalibratedCompile.Options(weights)));
        Assert.StartsWith("the budget is 12000 bytes, but ", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void BudgetsThatMakeNoSenseAreRefused()
    {
        string Message(WeightOptions weights) => Assert.Throws<ArgumentException>(() => new NestingPass(weights)).Message;
        WeightOptions options = Options(new BitBudget { Bytes = 1 }).Weights;
        Assert.Contains("needs Bytes or Decibels", Message(options with { Budget = new BitBudget() }), StringComparison.Ordinal);
        Assert.Contains("0 bytes holds nothing", Message(options with { Budget = new BitBudget { Bytes = 0 } }), StringComparison.Ordinal);
        Assert.Contains(
            "are not finite", Message(options with { Budget = new BitBudget { Decibels = double.NaN } }), StringComparison.Ordinal);
        Assert.Contains("two levels n:h", Message(options with { Bits = NestedBits.Parse("8:4:3") }), StringComparison.Ordinal);
        Assert.Contains(
            "give no other SplitRounding", Message(options with { SplitRounding = WeightRounding.Nearest }), StringComparison.Ordinal);
    }

    private CompilerOptions Options(BitBudget budget) => CalibratedCompile.Options(Weights("8:3", _data) with { Budget = budget });

    private CompileResult Compile(BitBudget budget) => NestQuantCompiler.Compile(GoldenModel.Load("digits-cnn"), Options(budget));

    private static Decision[] Decisions(CompileResult result) =>
        [.. result.Decisions.Decisions.Where(static decision => decision.Pass == "bit-budget")];

    private static long HighBytes(NestedOperator node) => node.High.GetBytes().Length;

    /// <summary>Reads <c>9120 bytes 12.3 dB, 9456 bytes 13.0 dB</c>.</summary>
    private static (double[] Bytes, double[] Decibels) Curve(Decision decision)
    {
        string[][] points = [.. decision.Note!.Split(", ").Select(static point => point.Split(' '))];
        return (Array.ConvertAll(points, static point => Number(point[0])), Array.ConvertAll(points, static point => Number(point[2])));

        static double Number(string text) => double.Parse(text, System.Globalization.CultureInfo.InvariantCulture);
    }
}
