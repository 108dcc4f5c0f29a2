using NestQuant.Onnx.Files;
using NestQuant.Onnx.Validation;
using NestQuant.TestSupport;

namespace NestQuant.Onnx.Tests.Validation;

public sealed class ModelValidationTests
{
    [Theory]
    [InlineData("y = Identity()", "Identity 'y' has 0 inputs, but the operator has 1")]
    [InlineData("y = Add(x)", "Add 'y' has 1 inputs, but the operator has 2")]
    [InlineData("y = Relu(x, x)", "Relu 'y' has 2 inputs, but the operator has 1")]
    [InlineData("y = Conv(x, )", "Conv 'y' leaves out input 1, which the operator needs")]
    [InlineData("y = Concat(x)", "Concat 'y' has no attribute 'axis', which the operator needs")]
    [InlineData("y, a, b = Dropout(x)", "Dropout 'y' has 3 outputs, but the operator has 1 to 2")]
    [InlineData("y = com.nestquant.NestedConv(x, x)", "NestedConv 'y' has 2 inputs, but the operator has 9")]
    [InlineData("y = com.microsoft.QLinearAdd(x)", "QLinearAdd 'y' has 1 inputs, but the operator has 7 to 8")]
    [InlineData("y = Max()", "Max 'y' has 0 inputs, but the operator has at least 1")]
    public void NodesHaveWhatTheirOperatorsNeed(string node, string expected)
    {
        ModelProto model = Network().Node(node).Output("y").Model();
        AssertRefused(model, expected);
        AssertLoadRefuses(model, expected);
    }

    [Fact]
    public void NodesOfSubgraphsAndFunctionsAreChecked()
    {
        GraphProto empty = new GraphBuilder("e").Node("e = Abs(x)").Output("e").Graph;
        AssertRefused(
            Network().Node(
                "y = If(x)",
                AttributeProto.Graph("then_branch", new GraphBuilder("t").Node("t = Add(x)").Output("t").Graph),
                AttributeProto.Graph("else_branch", empty)),
            "Add 't' has 1 inputs");
        AssertRefused(WithFunctions(Function("f", "o = Add(i)")), "Add 'o' has 1 inputs");
    }

    [Fact]
    public void AFunctionsOwnOperatorSetCounts()
    {
        FunctionProto function = Function("f", "o = Squeeze(i, i)");
        AssertRefused(WithFunctions(function, opset: 12), "Squeeze 'o' has 2 inputs");
        function.OpsetImport.Add(new OperatorSetIdProto { Version = 13 });
        ModelValidation.Verify(WithFunctions(function, opset: 12));
    }

    [Fact]
    public void AttributesHaveOneValueOfTheirType()
    {
        AttributeProto two = AttributeProto.Float("alpha", 1);
        two.I = 3;
        AssertRefused(
            Network().Node("y = LeakyRelu(x)", AttributeProto.Float("alpha", 1), AttributeProto.Float("alpha", 2)),
            "two attributes 'alpha'");
        AssertRefused(Network().Node("y = LeakyRelu(x)", two), "Attribute 'alpha' of LeakyRelu 'y'");
        AssertRefused(
            Network().Node("y = LeakyRelu(x)", new AttributeProto { Name = "alpha", Type = AttributeType.Int, F = 1 }), "is of type Int");
        AssertRefused(Network().Node("y = Other(x)", new AttributeProto { Name = "t", Type = AttributeType.Tensor }), "is of type Tensor");
        AssertRefused(Network().Node("y = Other(x)", new AttributeProto { Name = "t" }), "is of type Undefined");
        ModelValidation.Verify(
            Network()
                .Node(
                    "y = Other(x)",
                    new AttributeProto { Name = "t", Type = AttributeType.Ints },
                    new AttributeProto { Name = "i", Type = AttributeType.Int })
                .Output("y")
                .Model());
    }

    [Fact]
    public void FunctionsAreDefinedOnceAndDoNotRecur()
    {
        AssertRefused(
            WithFunctions(Function("f", "o = Abs(i)"), Function("f", "o = Neg(i)")), "function 'f' of domain 'local' is defined twice");
        AssertRefused(WithFunctions(Function("f", "o = local.f(i)")), "function 'f' calls itself");
        AssertRefused(WithFunctions(Function("f", "o = local.g(i)"), Function("g", "o = local.f(i)")), "calls itself");
        AssertRefused(WithFunctions(Function("f", "o = Abs(u)")), "reads 'u', which nothing in function 'f' defines");
    }

    [Fact]
    public void CallsThatMultiplyAreRefusedInLinearTime()
    {
        FunctionProto[] doubling =
        [
            .. Enumerable.Range(0, 40)
                .Select(static i => Function(i == 0 ? "f" : $"f{i}", $"a = local.f{i + 1}(i)", $"o = local.f{i + 1}(a)")),
            Function("f40", "o = Abs(i)")
        ];
        AssertRefused(WithFunctions(doubling), "which no runtime could inline");
        FunctionProto[] deep =
        [
            .. Enumerable.Range(0, 20_000).Select(static i => Function(i == 0 ? "f" : $"f{i}", $"o = local.f{i + 1}(i)")),
            Function("f20000", "o = Abs(i)")
        ];
        AssertRefused(WithFunctions(deep), "which no runtime could inline");
        ModelValidation.Verify(WithFunctions(doubling[30..].Select(static (function, i) => Renamed(function, i)).ToArray()));

        static FunctionProto Renamed(FunctionProto function, int i)
        {
            function.Name = i == 0 ? "f" : function.Name;
            return function;
        }
    }

    [Fact]
    public void OperatorSetsAreImportedInOneVersion()
    {
        ModelProto model = Network().Node("y = Abs(x)").Output("y").Model();
        model.OpsetImport.Add(new OperatorSetIdProto { Domain = "ai.onnx", Version = 17 });
        ModelValidation.Verify(model);
        model.OpsetImport.Add(new OperatorSetIdProto { Domain = "ai.onnx", Version = 13 });
        AssertRefused(model, "versions 17 and 13");
    }

    [Fact]
    public void AModelOfManyNodesIsCheckedInLinearTime()
    {
        var graph = new GraphBuilder().Input("v0", 2);
        for (int i = 0; i < 200_000; i++) graph.Node($"v{i + 1} = Abs(v{i})");
        ModelValidation.Verify(graph.Output("v200000").Model());
    }

    private static GraphBuilder Network() => new GraphBuilder().Input("x", 2);

    private static FunctionProto Function(string name, params string[] nodes)
    {
        var function = new FunctionProto { Name = name, Domain = "local" };
        function.Input.Add("i");
        function.Output.Add("o");
        function.Node.AddRange(nodes.Select(static node => GraphBuilder.Parse(node)));
        return function;
    }

    private static ModelProto WithFunctions(params FunctionProto[] functions) => WithFunctions(functions, 17);

    private static ModelProto WithFunctions(FunctionProto function, long opset) => WithFunctions([function], opset);

    private static ModelProto WithFunctions(FunctionProto[] functions, long opset)
    {
        ModelProto model = Network().Node("y = local.f(x)").Output("y").Model(opset, 8, "local");
        model.Functions.AddRange(functions);
        return model;
    }

    private static void AssertLoadRefuses(ModelProto model, string expected) =>
        Assert.Contains(
            expected, Assert.Throws<ModelException>(() => ModelFile.Load(ModelFile.ToBytes(model))).Message, StringComparison.Ordinal);

    private static void AssertRefused(GraphBuilder graph, string expected) => AssertRefused(graph.Output("y").Model(), expected);

    private static void AssertRefused(ModelProto model, string expected) =>
        Assert.Contains(expected, Assert.Throws<ModelException>(() => ModelValidation.Verify(model)).Message, StringComparison.Ordinal);
}
