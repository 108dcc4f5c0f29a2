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
    public void LaterModelsKeepThemForTheirCallers()
    {
        PassRun run = PassRun.Of(new InitializerInputsPass(), Model(irVersion: 4));

        Assert.Equal(["x", "w"], run.Graph.Input.Select(static input => input.Name));
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

    private static ModelProto Model(long irVersion) => new GraphBuilder()
        .Input("x", 2, 3).Input("w", 3, 4).Random("w", 3, 4).Node("y = MatMul(x, w)").Output("y").Model(irVersion: irVersion);
}
