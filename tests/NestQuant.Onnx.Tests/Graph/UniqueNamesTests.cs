using NestQuant.Onnx.Graph;
using NestQuant.TestSupport;

namespace NestQuant.Onnx.Tests.Graph;

public sealed class UniqueNamesTests
{
    [Fact]
    public void AFreeNameIsGivenOnce()
    {
        var names = new UniqueNames(new ModelProto());
        Assert.Equal(["w", "w_1", "w_2", "w_1_1"], [names.Next("w"), names.Next("w"), names.Next("w"), names.Next("w_1")]);
    }

    [Fact]
    public void AnEmptyNameIsNeverGiven() => Assert.Equal("_1", new UniqueNames(new ModelProto()).Next(""));

    [Theory]
    [InlineData("input")]
    [InlineData("output")]
    [InlineData("initializer")]
    [InlineData("sparse")]
    [InlineData("value")]
    [InlineData("node")]
    [InlineData("in body")]
    [InlineData("body initializer")]
    [InlineData("function input")]
    [InlineData("function value")]
    [InlineData("in function body")]
    [InlineData("value info")]
    [InlineData("function value info")]
    public void NamesOfEveryKindAreTaken(string name)
    {
        GraphBuilder body = new GraphBuilder("body").Random("body initializer", 1).Node("in body = Neg(value)").Output("in body");
        GraphBuilder graph = new GraphBuilder()
            .Input("input", 2)
            .Random("initializer", 2)
            .Node("node: value = Neg(input)")
            .Node("output = If(value)", AttributeProto.Graph("then_branch", body.Graph))
            .Output("output");
        graph.Graph.SparseInitializer.Add(new SparseTensorProto { Values = TensorProto.FromFloats("sparse", [1], [1]) });
        graph.Graph.ValueInfo.Add(new ValueInfoProto { Name = "value info" });
        ModelProto model = graph.Model();
        var function = new FunctionProto { Name = "f" };
        function.Input.Add("function input");
        function.Node.Add(GraphBuilder.Parse("function value = Neg(function input)"));
        function.Node.Add(
            GraphBuilder.Parse(
                "z = If(function value)",
                AttributeProto.Graph(
                    "then_branch",
                    new GraphBuilder("inner").Node("in function body = Neg(function value)").Output("in function body").Graph)));
        function.ValueInfo.Add(new ValueInfoProto { Name = "function value info" });
        model.Functions.Add(function);
        Assert.Equal(name + "_1", new UniqueNames(model).Next(name));
    }
}
