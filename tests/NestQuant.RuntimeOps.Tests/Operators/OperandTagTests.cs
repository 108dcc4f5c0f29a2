using Microsoft.ML.OnnxRuntime;
using NestQuant.Onnx;
using NestQuant.RuntimeOps.Kernels.Convolutions;
using NestQuant.RuntimeOps.Operators;
using NestQuant.RuntimeOps.Packing;
using NestQuant.RuntimeOps.Tests.Kernels.Convolutions;
using NestQuant.TestSupport;

namespace NestQuant.RuntimeOps.Tests.Operators;

/// <summary>Operands of the right length that are not those of the node: a session is not made.</summary>
public class OperandTagTests
{
    private const string Foreign = "belongs to another compilation";

    private static readonly Dictionary<string, Func<ConvolutionCase, NodeModel>> Operators = new()
    {
        ["NestedConv"] = c => NestedModels.Conv(c),
        ["NestedQLinearConv"] = c => NestedModels.QLinearConv(c, new Requantization(1, 0)),
        ["NestedDequantizeLinear"] = c =>
            NestedModels.DequantizeLinear(c.Layout, c.HighBytes, c.LowBytes, c.WScale, c.WZeroPoint, 4, 3, 3, 3),
    };

    public static TheoryData<string, bool> OperatorsAndOperands()
    {
        TheoryData<string, bool> cases = [];
        foreach (string name in Operators.Keys)
        {
            cases.Add(name, true);
            cases.Add(name, false);
        }

        return cases;
    }

    [Theory]
    [MemberData(nameof(OperatorsAndOperands))]
    public void An_operand_of_another_compile_is_refused_when_the_session_is_made(string name, bool isHigh)
    {
        ConvolutionCase own = NestedModels.SmallConv(seed: 1), other = NestedModels.SmallConv(seed: 2);
        NodeModel model = Operators[name](own).Constant(isHigh ? Operand("W_high", other.HighBytes) : Operand("W_low", other.LowBytes));
        string message = OpenFails(model);
        Assert.Contains($"{name} node 'subject': input '{(isHigh ? "W_high" : "W_low")}' {Foreign}", message, StringComparison.Ordinal);
        Assert.Contains("nestquant verify", message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(8)]
    [InlineData(6)]
    public void The_default_precision_makes_no_difference(int bits)
    {
        ConvolutionCase own = NestedModels.SmallConv(seed: 1), other = NestedModels.SmallConv(seed: 2);
        NodeModel model = NestedModels.Conv(own)
            .Constant(Operand("W_low", other.LowBytes))
            .Default(TensorProto.FromInt32s("bits", [], [bits]));
        Assert.Contains(Foreign, OpenFails(model), StringComparison.Ordinal);
    }

    [Fact]
    public void Both_operands_of_another_compile_do_not_pass_for_the_weight()
    {
        ConvolutionCase own = NestedModels.SmallConv(seed: 1), other = NestedModels.SmallConv(seed: 2);
        NodeModel model = NestedModels.Conv(own).Constant(Operand("W_high", other.HighBytes)).Constant(Operand("W_low", other.LowBytes));
        Assert.Contains(Foreign, OpenFails(model), StringComparison.Ordinal);
    }

    [Fact]
    public void Without_its_low_operand_a_node_checks_the_high_one()
    {
        ConvolutionCase own = NestedModels.SmallConv(seed: 1), other = NestedModels.SmallConv(seed: 2);
        NodeModel part = NestedModels.Conv(own).Absent("W_low").Default(TensorProto.FromInt32s("bits", [], [6]));
        part.Open().Dispose();
        Assert.Contains(Foreign, OpenFails(part.Constant(Operand("W_high", other.HighBytes))), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0x00)]
    [InlineData(0xFF)]
    public void Garbage_in_the_place_of_a_trailer_is_refused(byte garbage)
    {
        ConvolutionCase c = NestedModels.SmallConv();
        byte[] low = [.. c.LowBytes];
        low.AsSpan(low.Length - OperandTrailer.Length).Fill(garbage);
        string message = OpenFails(NestedModels.Conv(c).Constant(Operand("W_low", low)));
        Assert.Contains(
            "input 'W_low' does not end like an operand of layout version 4: it is damaged", message, StringComparison.Ordinal);
    }

    /// <summary>The length is compared before the trailer is looked for at its end.</summary>
    [Fact]
    public void An_operand_shorter_than_a_trailer_is_refused()
    {
        ConvolutionCase c = NestedModels.SmallConv();
        for (int length = 0; length <= OperandTrailer.Length; length++)
        {
            string message = OpenFails(NestedModels.Conv(c).Constant(Operand("W_high", new byte[length])));
            Assert.Contains($"input 'W_high' has {length} elements", message, StringComparison.Ordinal);
        }
    }

    /// <summary>A kernel cannot see them when it is created.</summary>
    [Theory]
    [InlineData(8, true)]
    [InlineData(6, false)]
    public void Operands_that_a_run_feeds_are_checked_by_the_run_that_reads_them(int bits, bool readsLow)
    {
        ConvolutionCase own = NestedModels.SmallConv(seed: 1), other = NestedModels.SmallConv(seed: 2);
        NodeModel model = NestedModels.Conv(own).Default(Operand("W_high", own.HighBytes)).Default(Operand("W_low", own.LowBytes));
        using InferenceSession session = model.Open();

        session.Run(X(), Bits());
        ShouldFail("W_high", other.HighBytes);
        if (readsLow)
            ShouldFail("W_low", other.LowBytes);
        else
            session.Run(X(), Bits(), Fed("W_low", other.LowBytes));

        void ShouldFail(string name, byte[] operand) => Assert.Contains(
            $"input '{name}' {Foreign}", OperatorErrorTests.RunFails(session, X(), Bits(), Fed(name, operand)), StringComparison.Ordinal);
        (string, OrtValue) X() => ("X", SessionRuns.Tensor(own.X, 1, 6, 5, 3));
        (string, OrtValue) Bits() => ("bits", SessionRuns.Tensor<int>([bits]));
        (string, OrtValue) Fed(string name, byte[] operand) => (name, SessionRuns.Tensor(operand, operand.Length));
    }

    private static TensorProto Operand(string name, byte[] bytes) =>
        TensorProto.FromBytes(name, TensorDataType.UInt8, [bytes.Length], bytes);

    private static string OpenFails(NodeModel model) => Assert.Throws<OnnxRuntimeException>(() => model.Open().Dispose()).Message;
}
