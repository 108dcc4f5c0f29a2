using NestQuant.Compiler.Pipeline;
using NestQuant.Onnx;
using NestQuant.Passes.Cleanup;
using NestQuant.Passes.Tests.Models;
using NestQuant.RuntimeOps.Packing;
using NestQuant.TestSupport;

namespace NestQuant.Passes.Tests.Cleanup;

public sealed class InitializerInputsPassTests
{
    private static readonly (string, TensorValue) X = ("x", TensorValue.Random(2, 3));

    [Fact]
    public void InitializersOfOldModelsAreNoInputs()
    {
        PassRun run = PassRun.Preserving(new InitializerInputsPass(), Model(irVersion: 3), 0, X);

        Assert.Equal(["x"], run.Graph.Input.Select(static input => input.Name));
        Assert.Equal(4, run.Model.IrVersion);
    }

    [Fact]
    public void InLaterModelsAllOfThemAreAnExportersHabit()
    {
        PassRun run = PassRun.Preserving(new InitializerInputsPass(), Model(irVersion: 4), 0, X);

        Assert.Equal(["x"], run.Graph.Input.Select(static input => input.Name));
        Decision decision = Assert.Single(run.Decisions);
        Assert.Equal(
            (Decision.WholeModel, "inputs with a default that are constants: 1, as every initializer was an input"),
            (decision.Op, decision.Note));
    }

    [Fact]
    public void TheyStayWhereThatIsAskedForOrWhereOnlySomeAreInputs()
    {
        Assert.False(PassRun.Of(new InitializerInputsPass(keepOverridable: true), Model(irVersion: 4)).Changed);
        Assert.False(PassRun.Of(new InitializerInputsPass(), Mixed()).Changed);
    }

    [Theory]
    [InlineData("w", "v")]
    [InlineData("?", "")]
    public void SomeCanBeNamed(string pattern, string left)
    {
        PassRun run = PassRun.Of(new InitializerInputsPass(constantInputs: [pattern]), Mixed());
        Assert.Equal(["x", .. left.Length > 0 ? [left] : (string[])[]], run.Graph.Input.Select(static input => input.Name));
    }

    [Fact]
    public void APatternThatNamesNoneIsAnError()
    {
        var failure = Assert.Throws<ModelException>(
            () => NestQuantCompiler.Compile(Mixed(), new CompilerOptions { ConstantInputs = ["weight"] }));
        Assert.StartsWith(
            "the constant-inputs pattern 'weight' matches no initializer of the model; near it: ",
            failure.Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void ThePrecisionInputOfACompiledModelStays()
    {
        var options = new CompilerOptions { Weights = new() { Bits = new NestedBits(8, 6) }, ConstantInputs = ["*"] };
        ModelProto compiled = NestQuantCompiler.Compile(Model(irVersion: 4), options).Model;
        Assert.Contains(NestQuantCompiler.Compile(compiled, options).Model.Graph!.Input, static input => input.Name == "nest_bits");
    }

    [Fact]
    public void WeightsOfOldModelsAreNested()
    {
        CompileResult result = NestQuantCompiler.Compile(Model(irVersion: 3), new CompilerOptions
        {
            Weights = new() { Bits = new NestedBits(8, 6) },
        });

        Assert.True(result.Decisions.Decisions.Single(static decision => decision.Pass == "nesting").Rewritten);
    }

    private static ModelProto Mixed() => new GraphBuilder()
        .Input("x", 2, 3).Input("w", 3, 4).Random("w", 3, 4).Input("v", 4, 4).Random("v", 4, 4).Random("bias", 4)
        .Node("t = MatMul(x, w)").Node("u = MatMul(t, v)").Node("y = Add(u, bias)").Output("y").Model();

    private static ModelProto Model(long irVersion) => new GraphBuilder()
        .Input("x", 2, 3).Input("w", 3, 4).Random("w", 3, 4).Node("y = MatMul(x, w)").Output("y").Model(irVersion: irVersion);
}
