using NestQuant.Compiler.Pipeline;
using NestQuant.Onnx;
using NestQuant.Onnx.Graph;
using NestQuant.Onnx.Text;
using NestQuant.Passes.Export;
using NestQuant.Passes.OperatorSets;
using NestQuant.Passes.Tests.Models;
using NestQuant.RuntimeOps.Packing;
using NestQuant.TestSupport;
using Snapshooter.Xunit;

namespace NestQuant.Passes.Tests.OperatorSets;

public sealed class OperatorSetUpgradePassTests
{
    private static readonly (string, TensorValue) X = ("x", TensorValue.Random(1, 3, 8, 8));

    [Fact]
    public void TheWholeModelHasOneDecision()
    {
        PassRun run = PassRun.Preserving(new OperatorSetUpgradePass(), Network().Model(9), 0, X);

        Decision decision = Assert.Single(run.Decisions);
        Assert.Equal((Decision.WholeModel, "operator set 9 -> 18", null), (decision.Op, decision.Note, decision.Warning));
        Assert.Equal(18, run.Model.OpsetVersion());
    }

    [Fact]
    public void AnOperatorOfALaterSetKeepsTheModel()
    {
        ModelProto model = new GraphBuilder().Input("x", 2).Node("unused = Where()").Node("y = Neg(x)").Output("y").Model(7);
        PassRun run = PassRun.Of(new OperatorSetUpgradePass(), model, loads: false);
        Assert.False(run.Changed);
        Assert.Contains("Where 'unused' is no operator of operator set 7", Assert.Single(run.Decisions).Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void UpgradedGraph()
    {
        ModelProto model = Network().Model(9);
        new OperatorSetUpgradePass().Run(new ModelContext(model));
        ModelText.Print(model).MatchSnapshot();
    }

    [Theory]
    [InlineData(12, null, 18)]
    [InlineData(13, null, 13)]
    [InlineData(17, null, 17)]
    [InlineData(12, 12, 12)]
    [InlineData(13, 17, 17)]
    [InlineData(26, null, 26)]
    public void OnlyWhatNeedsItOrIsAskedForIsUpgraded(int version, int? asked, int reached)
    {
        ModelProto model = new GraphBuilder().Input("x", 2).Nodes("y = Neg(x)").Output("y").Model(version);
        PassRun run = PassRun.Of(new OperatorSetUpgradePass(asked), model);

        Assert.Equal((reached, reached > version), (run.Model.OpsetVersion(), run.Changed));
        Assert.Equal(run.Changed ? 1 : 0, run.Decisions.Count);
    }

    [Fact]
    public void ANewerModelThanAskedForIsRefused()
    {
        ModelProto model = new GraphBuilder().Input("x", 2).Nodes("y = Neg(x)").Output("y").Model(17);
        var failure = Assert.Throws<ModelException>(() => NestQuantCompiler.Compile(model, new CompilerOptions { OperatorSet = 13 }));
        Assert.StartsWith("the model imports operator set 17, and 13 is asked for: ", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(6)]
    [InlineData(19)]
    public void UnknownVersionsAreWrongOptions(int version)
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new OperatorSetUpgradePass(version));
        var failure = Assert.Throws<ArgumentException>(() => new CompilerOptions { OperatorSet = version }.Verify());
        Assert.Contains("7 to 18", failure.Message, StringComparison.Ordinal);
    }

    public static TheoryData<int, string, int, string> Reasons => new()
    {
        { 9, "d, m = Dropout(x); f = Cast[to=1](m); y = Add(d, f)", 9, "its mask is used" },
        { 11, "d, m = Dropout(x); f = Cast[to=1](m); y = Add(d, f)", 11, "its mask is used" },
        { 8, "y = BatchNormalization[spatial=0](x, @3 8 8, @3 8 8, @3 8 8, @3 8 8)", 8, "spatial is 0" },
        { 9, "v = Abs(@3); y, a, b, c, d = BatchNormalization(x, @3, @3, @3, v)", 13, "training mode" },
        { 8, "y = MeanVarianceNormalization[across_channels=1](x)", 8, "other attributes" },
        { 10, "y = Resize(x, <1. 1. 2. 0.5>)", 10, "one axis longer and another one shorter" },
        { 10, "s = Exp(<0. 0. 1. 1.>); y = Resize(x, s)", 10, "its scales are computed" },
        { 11, "y = Resize[coordinate_transformation_mode=tf_half_pixel_for_nn](x, <>, <1. 1. 2. 2.>)", 12, "tf_half_pixel_for_nn" },
    };

    [Theory]
    [MemberData(nameof(Reasons))]
    public void WhatWouldChangeEndsTheUpgradeBefore(int version, string text, int reached, string reason)
    {
        ModelProto model = new GraphBuilder().Input("x", 1, 3, 8, 8).Nodes(text).Output("y").Model(version);
        PassRun run = PassRun.Preserving(new OperatorSetUpgradePass(), model, 0, X);

        Assert.Equal(reached, run.Model.OpsetVersion());
        Decision decision = Assert.Single(run.Decisions);
        Assert.Contains(reason, decision.Reason ?? decision.Warning, StringComparison.Ordinal);
        Assert.StartsWith("not upgraded to operator set 18: ", decision.Reason ?? decision.Warning, StringComparison.Ordinal);
    }

    [Fact]
    public void ConstantsOfNewInputsAreSharedAndHaveFreeNames()
    {
        GraphBuilder then = new GraphBuilder("then").Nodes("t = Clip[min=0. max=6.](min)").Output("t");
        GraphBuilder otherwise = new GraphBuilder("else").Nodes("e = Neg(min)").Output("e");
        ModelProto model = new GraphBuilder().Input("x", 1, 3, 8, 8)
            .Nodes("min = Clip[min=0. max=6.](x)").If("y", then, otherwise).Output("y").Model(10);

        PassRun run = PassRun.Preserving(new OperatorSetUpgradePass(), model, 0, X, ("c", TensorValue.OfBool(true)));

        Assert.Equal(["min_1", "max"], run.Graph.Initializer.Select(static tensor => tensor.Name));
        Assert.Empty(then.Graph.Initializer);
    }

    [Fact]
    public void ScalesOfAConstantNodeAreKnown()
    {
        ModelProto model = new GraphBuilder().Input("x", 1, 3, 8, 8)
            .Node("s = Constant()", AttributeProto.Tensor("value", TensorProto.FromFloats("", [4], [1, 1, 0.5f, 0.5f])))
            .Node("y = Resize(x, s)").Output("y").Model(10);

        PassRun run = PassRun.Preserving(new OperatorSetUpgradePass(), model, 0, X);

        Assert.Equal("ceil", run.Graph.Node[^1].GetString("nearest_mode", ""));
    }

    [Fact]
    public void LocalFunctionsAreUpgradedWithTheModel()
    {
        ModelProto model = Calling(9, "k = Clip[min=0. max=6.](a); b = Unsqueeze[axes=0,](k)");

        PassRun run = PassRun.Preserving(new OperatorSetUpgradePass(), model, 0, X);

        FunctionProto function = Assert.Single(run.Model.Functions);
        Assert.Equal(["Constant", "Constant", "Constant", "Clip", "Unsqueeze"], function.Node.Select(static node => node.OpType));
        Assert.Equal(18, Assert.Single(function.OpsetImport).Version);
    }

    [Fact]
    public void AFunctionOfAnotherOperatorSetKeepsTheModel()
    {
        ModelProto model = Calling(11, "b = Neg(a)");
        model.Functions[0].OpsetImport[0].Version = 12;

        PassRun run = PassRun.Preserving(new OperatorSetUpgradePass(), model, 0, X);

        Assert.False(run.Changed);
        Assert.Contains("function 'F' imports operator set 12, and the model 11", run.Decisions[0].Reason, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("b = Squeeze[axes=0,](a)", AttributeType.Ints)]
    [InlineData("b = Softmax[axis=1](a)", AttributeType.Int)]
    public void AnAttributeThatAFunctionIsGivenEndsTheUpgrade(string text, AttributeType type)
    {
        ModelProto model = Calling(11, text);
        FunctionProto function = model.Functions[0];
        function.Attribute.Add("which");
        AttributeProto attribute = function.Node[0].Attribute[0];
        function.Node[0].Attribute[0] = new AttributeProto { Name = attribute.Name, Type = type, RefAttrName = "which" };
        attribute.Name = "which";
        model.Graph!.Node[0].Attribute.Add(attribute);

        PassRun run = PassRun.Preserving(new OperatorSetUpgradePass(), model, 0, X);

        Assert.Contains("parameter of the enclosing function", run.Decisions[0].Warning, StringComparison.Ordinal);
        Assert.Equal(12, run.Model.OpsetVersion());
    }

    [Fact]
    public void OlderModelsThanOnnxRuntimeRunsAreKept()
    {
        ModelProto model = new GraphBuilder().Input("x", 2).Nodes("y = Neg(x)").Output("y").Model(6);
        PassRun run = PassRun.Of(new OperatorSetUpgradePass(), model);
        Assert.Contains("older than 7", run.Decisions[0].Reason, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true, 18)]
    [InlineData(false, 10)]
    public void NumbersBecomeScalarsOfTheTypeThatIsDeclared(bool declared, int reached)
    {
        GraphBuilder graph = new GraphBuilder().Input("x", 1, 3, 8, 8)
            .Nodes("z = Cast[to=11](x); p = Pad[pads=0,0,1,1,0,0,1,1 value=0.75](z); y = Cast[to=1](p)");
        if (declared) graph.Graph.ValueInfo.Add(GraphBuilder.Value(TensorDataType.Double, "z", 1, 3, 8, 8));

        PassRun run = PassRun.Preserving(new OperatorSetUpgradePass(), graph.Output("y").Model(10), 0, X);

        Assert.Equal(reached, run.Model.OpsetVersion());
        if (!declared) Assert.Contains("which the model does not declare", run.Decisions[0].Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void AnAttributeOfTheWrongTypeEndsTheUpgrade()
    {
        ModelProto model = new GraphBuilder().Input("x", 1, 3, 8, 8).Nodes("y = Pad[pads=here](x)").Output("y").Model(10);

        PassRun run = PassRun.Of(new OperatorSetUpgradePass(), model, loads: false);

        Assert.EndsWith("Pad 'y': its attribute 'pads' is of type String", run.Decisions[0].Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void ASoftmaxOfAMatrixStaysOneNode()
    {
        ModelProto model = new GraphBuilder().Input("x", 1, 3, 8, 8)
            .Nodes("c = Conv(x, @4 3 8 8); f = Flatten(c); g = Gemm(f, @4 5, @5); y = Softmax(g)").Output("y").Model(12);
        Assert.Equal(["Conv", "Flatten", "Gemm", "Softmax"], PassRun.Preserving(new OperatorSetUpgradePass(), model, 0, X).Ops);
    }

    [Fact]
    public void OldModelsRunOnIntegersAndAreExported()
    {
        CompileResult result = NestQuantCompiler.Compile(
            Network().Model(9), new CompilerOptions { Weights = new() { Bits = new NestedBits(8, 6) } });

        Assert.Equal("operator-set", result.Decisions.Decisions[0].Pass);
        Assert.Contains(result.Model.Graph!.Node, static node => node.OpType == "NestedConv");
        ModelRunner.Run(ModelExport.ToQdq(result.Model, new ExportOptions { Bits = 6 }).Model, X);
    }

    [Fact]
    public void WithoutNestingAModelKeepsItsOperatorSetUnlessThatIsAskedFor()
    {
        Assert.Equal(9, NestQuantCompiler.Compile(Network().Model(9), new CompilerOptions()).Model.OpsetVersion());
        CompileResult result = NestQuantCompiler.Compile(Network().Model(9), new CompilerOptions { OperatorSet = 15 });
        Assert.Equal(15, result.Model.OpsetVersion());
        Assert.EndsWith(
            " opset=15",
            result.Model.MetadataProps.Find(static entry => entry.Key == Provenance.OptionsKey)?.Value,
            StringComparison.Ordinal);
    }

    private static GraphBuilder Network() => new GraphBuilder().Input("x", 1, 3, 8, 8)
        .Nodes("c = Conv[pads=1,1,1,1](x, @4 3 3 3, @4); r = Clip[min=0. max=6.](c); p = Pad[pads=0,0,1,1,0,0,1,1](r)")
        .Nodes("u = Upsample[mode=nearest](p, <1. 1. 2. 2.>); s = Slice[axes=2,3 starts=1,1 ends=-1,-1](u); a, b = Split[axis=1](s)")
        .Nodes("m = Mul(a, b); k = ReduceMean[axes=2,3 keepdims=0](m); e = Unsqueeze[axes=2,3](k); n = Softmax[axis=1](e)")
        .Nodes("q = Squeeze[axes=2,3](n); d = Dropout[ratio=0.25](q); y = Gemm(d, @2 5, @5)").Output("y");

    /// <summary>A model that is a call of a function.</summary>
    private static ModelProto Calling(int opset, string text)
    {
        ModelProto model = new GraphBuilder().Input("x", 1, 3, 8, 8).Node("y = local.F(x)").Output("y").Model(opset, domains: "local");
        FunctionProto function = Functions.Of("F", "a", "b", [.. new GraphBuilder().Nodes(text).Graph.Node]);
        function.OpsetImport[0].Version = opset;
        model.Functions.Add(function);
        return model;
    }
}
