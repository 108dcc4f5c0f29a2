using NestQuant.Compiler.Pipeline;
using NestQuant.Onnx;
using NestQuant.Passes.Inlining;
using NestQuant.Passes.Tests.Models;
using NestQuant.RuntimeOps.Packing;
using NestQuant.TestSupport;

namespace NestQuant.Passes.Tests.Inlining;

/// <summary>Calls of local functions that hold weights, against ONNX Runtime, which inlines them itself.</summary>
public sealed class FunctionInliningPassTests
{
    private static readonly (string, TensorValue) X = ("x", TensorValue.Random(2, 4));

    /// <summary>Two calls of one function, whose inner names the main graph has too.</summary>
    [Fact]
    public void EveryCallHasNamesOfItsOwn()
    {
        ModelProto model = Graph("t = local.F(x, W)", "one: a = local.F(t, W)", "y = Relu(a)");
        model.Functions.Add(Functions.Of("F", ["p", "q"], "r", Parse("x = MatMul(p, q)"), Parse("m: a = Neg(x)"), Parse("r = Tanh(a)")));
        PassRun run = PassRun.Preserving(new FunctionInliningPass(), model, 0, X);
        Assert.Equal(["MatMul", "Neg", "Tanh", "MatMul", "Neg", "Tanh", "Relu"], run.Ops);
        Assert.Empty(run.Model.Functions);
        Assert.Equal("3 nodes in its place", run.About("one").Note);
    }

    [Fact]
    public void FunctionsInFunctionsAreInlinedWhereTheyHoldWeights()
    {
        ModelProto model = Graph("y = local.Outer(x, W)");
        model.Functions.Add(Functions.Of("Outer", ["p", "q"], "r", Parse("s = local.Inner(p, q)"), Parse("r = local.Other(s)")));
        model.Functions.Add(Functions.Of("Inner", ["p", "q"], "r", Parse("r = MatMul(p, q)")));
        model.Functions.Add(Functions.Of("Other", "p", "r", Parse("r = Sigmoid(p)")));
        model.Functions[0].OpsetImport.Add(new OperatorSetIdProto { Domain = "local", Version = 1 });
        PassRun run = PassRun.Preserving(new FunctionInliningPass(), model, 0, X);
        Assert.Equal(["MatMul", "Other"], run.Graph.Node.Select(static node => node.OpType));
        Assert.Equal(["Other"], run.Model.Functions.Select(static function => function.Name));
    }

    [Theory]
    [InlineData(true, 0.5f)]
    [InlineData(false, 0.25f)]
    public void AttributesComeFromTheCallOrTheDefault(bool given, float slope)
    {
        ModelProto model = Graph("y = local.F(x, W)");
        if (given) model.Graph!.Node[0].Attribute.Add(AttributeProto.Float("slope", slope));
        FunctionProto function = Functions.Of(
            "F", ["p", "q"], "r", Parse("s = MatMul(p, q)"),
            GraphBuilder.Parse("t = LeakyRelu(s)", Reference("alpha", "slope")),
            GraphBuilder.Parse("r = Elu(t)", Reference("alpha", "other")));
        function.AttributeProto.Add(AttributeProto.Float("slope", 0.25f));
        function.Attribute.Add("other");
        model.Functions.Add(function);
        PassRun run = PassRun.Preserving(new FunctionInliningPass(), model, 0, X);
        Assert.Equal(slope, run.Graph.Node[1].GetFloat("alpha", 0));
        Assert.Null(run.Graph.Node[2].GetAttribute("alpha"));
    }

    /// <summary>ONNX Runtime refuses such a function, whose input is an output, but not the result.</summary>
    [Fact]
    public void MissingInputsAndOutputsAndCopiesStay()
    {
        ModelProto model = Graph("y, , z = local.F(x, W)");
        model.Graph!.Output.Add(new ValueInfoProto { Name = "z" });
        FunctionProto function = Functions.Of("F", ["p", "q", "bias"], "r", Parse("r = Gemm(p, q, bias)"), Parse("s = Neg(r)"));
        function.Output.AddRange(["s", "p"]);
        model.Functions.Add(function);
        PassRun run = PassRun.Of(new FunctionInliningPass(), model);
        Assert.Equal(["Gemm", "Neg", "Identity"], run.Ops);
        Assert.Equal(("", "x", "z"), (run.Graph.Node[0].Input[2], run.Graph.Node[2].Input[0], run.Graph.Node[2].Output[0]));
    }

    [Fact]
    public void SubgraphsKeepWhatTheyHideAndCapture()
    {
        ModelProto model = Graph("y = local.F(x, W)");
        GraphProto then = new GraphBuilder("then").Random("q", 4, 4).Node("a = MatMul(s, q)").Output("a").Graph;
        GraphProto otherwise = new GraphBuilder("else").Node("b = Neg(s)").Output("b").Graph;
        model.Functions.Add(
            Functions.Of(
                "F", ["p", "q"], "r", Parse("s = MatMul(p, q)"), Parse("m = ReduceMax(s)"), Parse("n = ReduceMin(s)"),
                Parse("c = Greater(m, n)"),
                GraphBuilder.Parse(
                    "r = If(c)", AttributeProto.Graph("then_branch", then), AttributeProto.Graph("else_branch", otherwise))));
        PassRun run = PassRun.Preserving(new FunctionInliningPass(), model, 0, X);
        Assert.DoesNotContain(run.Ops, static op => op == "F");
    }

    [Fact]
    public void CallsInSubgraphsAreInlined()
    {
        ModelProto model = new GraphBuilder().Input("x", 2, 4).Random("W", 4, 4)
            .If(
                "y",
                new GraphBuilder("then").Node("a = local.F(x, W)").Output("a"),
                new GraphBuilder("else").Node("b = Neg(x)").Output("b"))
            .Output("y").Model(domains: "local");
        model.Functions.Add(Functions.Of("F", ["p", "q"], "r", Parse("r = MatMul(p, q)")));
        PassRun run = PassRun.Preserving(new FunctionInliningPass(), model, 0, X, ("c", TensorValue.OfBool(true)));
        Assert.Equal(["If", "MatMul", "Neg"], run.Ops);
    }

    [Fact]
    public void AFunctionWithoutWeightsStays()
    {
        ModelProto model = Graph("a = local.F(x)", "y = MatMul(a, W)");
        model.Functions.Add(Functions.Of("F", "p", "r", Parse("r = Sigmoid(p)")));
        PassRun run = PassRun.Of(new FunctionInliningPass(), model);
        Assert.False(run.Changed);
        Assert.Empty(run.Decisions);
    }

    [Fact]
    public void AFunctionOfAnotherOperatorSetStays()
    {
        ModelProto model = Graph("y = local.F(x, W)");
        FunctionProto function = Functions.Of("F", ["p", "q"], "r", Parse("r = MatMul(p, q)"));
        function.OpsetImport[0].Version = 16;
        model.Functions.Add(function);
        PassRun run = PassRun.Of(new FunctionInliningPass(), model);
        Assert.Contains("imports version 16 of the operator set '', and the model 17", run.ReasonFor("y"), StringComparison.Ordinal);
    }

    [Fact]
    public void ACallThatLeavesOutWhatItsFunctionNeedsIsAnError()
    {
        ModelProto model = Graph("y = local.F(x)");
        model.Functions.Add(Functions.Of("F", ["p", "q"], "r", Parse("r = MatMul(p, q)")));
        ModelException error = Assert.Throws<ModelException>(() => new FunctionInliningPass().Run(new ModelContext(model)));
        Assert.Contains("call 'y' of function 'F': MatMul 'y' leaves out input 1", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void LongNamesAreCut()
    {
        string name = new('n', 5000);
        ModelProto model = Graph($"{name}: a = local.F(x, W)", $"{name}_2: y = local.F(a, W)");
        model.Functions.Add(Functions.Of("F", ["p", "q"], "r", Parse($"{name} = MatMul(p, q)"), Parse($"r = Neg({name})")));
        PassRun run = PassRun.Preserving(new FunctionInliningPass(), model, 0, X);
        Assert.All(run.Graph.Node, static node => Assert.InRange(node.Output[0].Length, 1, 210));
    }

    [Fact]
    public void WeightsInsideAndGivenToFunctionsAreNested()
    {
        ModelProto model = Graph("a = local.F(x, W)", "y = local.F(a, W)");
        float[] values = [.. Enumerable.Range(0, 16).Select(static i => i - 7f)];
        NodeProto constant = GraphBuilder.Parse(
            "v = Constant()", AttributeProto.Tensor("value", TensorProto.FromFloats("", [4, 4], values)));
        model.Functions.Add(Functions.Of("F", ["p", "q"], "r", constant, Parse("s = MatMul(p, q)"), Parse("r = MatMul(s, v)")));
        CompileResult result = NestQuantCompiler.Compile(model, new CompilerOptions { Weights = new() { Bits = new NestedBits(8, 6) } });
        Assert.Equal(4, result.Decisions.Decisions.Count(static decision => decision.Nesting is not null));
        ModelRunner.Open(result.Model).Dispose();
    }

    private static ModelProto Graph(params string[] nodes)
    {
        GraphBuilder graph = new GraphBuilder().Input("x", 2, 4).Random("W", 4, 4).Output("y");
        foreach (string node in nodes) graph.Node(node);
        return graph.Model(domains: "local");
    }

    private static NodeProto Parse(string text) => GraphBuilder.Parse(text);

    private static AttributeProto Reference(string name, string parameter) =>
        new() { Name = name, Type = AttributeType.Float, RefAttrName = parameter };
}
