using CsCheck;
using NestQuant.Compiler.Pipeline;
using NestQuant.Onnx;
using NestQuant.Onnx.Graph;
using NestQuant.Passes.Integer.TransposedConvolutions;
using NestQuant.Passes.Nesting;
using NestQuant.Passes.Tests.Models;
using NestQuant.RuntimeOps.Packing;
using NestQuant.TestSupport;

namespace NestQuant.Passes.Tests.Integer.TransposedConvolutions;

public sealed class TransposedConvolutionPassTests
{
    private const float Step = 0.05f;

    private static readonly WeightOptions Weights = new() { Bits = new NestedBits(8, 6) };

    private static readonly Gen<Layer> Layers =
        from stride in Gen.Int[1, 4]
        from kernel in Gen.Int[1, 6].Array[2]
        from pads in Gen.Int[0, 2].Array[4]
        from added in Gen.Int[0, stride - 1].Array[2]
        from extents in Gen.Int[1, 5].Array[2]
        from bound in Gen.OneOf("", "Relu", "Clip")
        from bias in Gen.Bool
        select new Layer(stride, kernel, pads, added, extents, bound, bias);

    /// <summary>Whatever can be rewritten gives the same integers but for sums in another order, and has few more weights.</summary>
    [Fact]
    public void PhasesGiveWhatTheTransposedConvolutionGave()
    {
        int rewritten = 0;
        Layers.Where(static layer => layer.HasResult).Sample(
            layer =>
            {
                (string, TensorValue)[] feeds = [("input", QdqGraph.Random(3, 2, 3, layer.Extents[0], layer.Extents[1]))];
                ModelProto model = layer.Model();
                TensorValue expected = QdqGraph.RunAsWritten(model, feeds)["result"];
                long weights = model.Graph!.Initializer.Single(static tensor => tensor.Name == "W").ElementCount;
                PassRun run = PassRun.Of(new TransposedConvolutionPass(Weights), model);
                if (!run.Changed) return;
                Interlocked.Increment(ref rewritten);
                Assert.DoesNotContain("ConvTranspose", run.Ops);
                Assert.Equal(layer.Stride > 1, run.Ops.Contains("DepthToSpace"));
                float difference = QdqGraph.LargestDifference(expected, QdqGraph.RunAsWritten(model, feeds)["result"]);
                Assert.InRange(difference, 0, 1.01f * Step);
                Assert.InRange(run.Graph.Initializer.Single(static tensor => tensor.Name == "W_phases").ElementCount, 1, 2 * weights);
            },
            iter: 100, threads: 1);
        Assert.True(rewritten > 10, $"{rewritten} of the layers were rewritten");
    }

    [Theory]
    [InlineData("strides=2,2](x, @4 3 2 2", "Conv DepthToSpace", "a convolution of 4 phases, interleaved")]
    [InlineData("strides=3,3](x, @4 3 3 3", "Conv DepthToSpace", "a convolution of 9 phases, interleaved")]
    [InlineData("strides=2,2 pads=1,1,1,1](x, @4 3 4 4", "Conv DepthToSpace Slice", "a convolution of 4 phases, interleaved")]
    [InlineData(
        "strides=2,2 pads=1,1,1,1 output_padding=1,1](x, @4 3 3 3",
        "Conv DepthToSpace",
        "a convolution of 4 phases, interleaved; with 1.78 times as many weights, zeros included")]
    [InlineData("pads=1,1,1,1](x, @4 3 3 3", "Conv", "a convolution")]
    public void UsualKernels(string layer, string ops, string note)
    {
        PassRun run = Run(layer);
        Assert.Equal(ops.Split(' '), run.Ops.Where(static op => op is not ("QuantizeLinear" or "DequantizeLinear")));
        Assert.Equal(note, run.About("up").Note);
    }

    [Theory]
    [InlineData("group=2](x, @4 3 2 2", "a grouped ConvTranspose has no integer form")]
    [InlineData("dilations=2,2](x, @4 3 2 2", "a dilated ConvTranspose has no integer form")]
    [InlineData("strides=2,1](x, @4 3 2 2", "its strides differ between the axes")]
    [InlineData("output_shape=9,9](x, @4 3 2 2", "its output_shape stands for pads that depend on the input")]
    [InlineData("auto_pad=SAME_UPPER](x, @4 3 2 2", "its auto_pad is SAME_UPPER; only given pads have an integer form")]
    [InlineData("strides=3,3](x, @4 3 2 2", "as a Conv it would have 2.25 times as many weights, more than 2")]
    [InlineData("strides=2,2 pads=3,3,0,0](x, @4 3 1 1", "it leaves out more results than its kernel adds")]
    [InlineData("strides=9999999999,9999999999](x, @4 3 2 2", "its extents are not between 1 and 1024")]
    [InlineData("pads=-1,0,0,0](x, @4 3 2 2", "or its pads not between 0 and 1024")]
    [InlineData("strides=2,](x, @4 3 2 2", "are not those of two axes")]
    [InlineData("strides=2,2](x, @4 3 2 2, free", "its bias 'free' is no constant of one float32 value per channel")]
    public void OtherFormsStay(string layer, string reason)
    {
        PassRun run = Run(layer, loads: false);
        Assert.False(run.Changed);
        Assert.Contains(reason, run.ReasonFor("up"), StringComparison.Ordinal);
    }

    [Fact]
    public void AFloatResultStays()
    {
        ModelProto model = Input().Nodes("y = ConvTranspose[strides=2,2](x, @4 3 2 2)").Output("y").Model();
        model.Graph!.Node[^1].Name = "up";
        Assert.Contains("its result is not quantized", Run(model).ReasonFor("up"), StringComparison.Ordinal);
    }

    [Fact]
    public void AResultWithAScaleForEachChannelStays()
    {
        ModelProto model = Input().Nodes("y = ConvTranspose[strides=2,2](x, @4 3 2 2)")
            .Floats("scales", [3], 0.1f, 0.2f, 0.3f)
            .Constant(TensorProto.FromBytes("zeros", TensorDataType.UInt8, [3], [128, 127, 126]))
            .Node("q = QuantizeLinear(y, scales, zeros)", AttributeProto.Int("axis", 1))
            .Node("z = DequantizeLinear(q, scales, zeros)", AttributeProto.Int("axis", 1))
            .Output("z")
            .Model();
        Assert.Contains("its result is not quantized", Run(Named(model)).ReasonFor("up"), StringComparison.Ordinal);
    }

    [Fact]
    public void AWeightWithTwoReadersStays()
    {
        ModelProto model = Input().Random("W", 4, 3, 2, 2).Node("up: y = ConvTranspose(x, W)").Node("v = ConvTranspose(x, W)")
            .Pair("y", "result", Step, 120).Output("result", "v").Model();
        Assert.Equal("other nodes read its weight too", Run(model).ReasonFor("up"));
    }

    [Theory]
    [InlineData("ConvTranspose", null, false)]
    [InlineData("Conv", null, false)]
    [InlineData(null, "up", true)]
    public void RulesThatTellTheOperatorsApartAreKept(string? op, string? name, bool changes)
    {
        WeightOptions weights = Weights with { Rules = [new WeightRule { Operator = op, Name = name, Bits = new NestedBits(6, 4) }] };
        ModelProto model = Quantized(Input().Nodes("y = ConvTranspose[strides=2,2](x, @4 3 2 2); v = Conv(x, @3 4 1 1)").Output("v"));
        PassRun run = PassRun.Of(new TransposedConvolutionPass(weights), Named(model));
        Assert.Equal(changes, run.Changed);
        if (!changes) Assert.Contains($"the rule for operator {op}", run.ReasonFor("up"), StringComparison.Ordinal);
    }

    private static PassRun Run(string layer, bool loads = true) =>
        Run(Named(Quantized(Input().Nodes($"y = ConvTranspose[{layer})"))), loads);

    private static PassRun Run(ModelProto model, bool loads = true) =>
        PassRun.Of(new TransposedConvolutionPass(Weights), model, loads);

    private static GraphBuilder Input() =>
        new GraphBuilder().Input("input", 1, 4, 5, 5).Input("free", 3).Pair("input", "x", 0.01f, 128);

    private static ModelProto Quantized(GraphBuilder graph) => graph.Pair("y", "result", Step, 120).Output("result").Model();

    private static ModelProto Named(ModelProto model)
    {
        model.Graph!.Node.Single(static node => node.Is("ConvTranspose")).Name = "up";
        return model;
    }

    private sealed record Layer(int Stride, int[] Kernel, int[] Pads, int[] Added, int[] Extents, string Bound, bool HasBias)
    {
        public bool HasResult => Enumerable.Range(0, 2).All(
            axis => ((Extents[axis] - 1) * Stride) + Kernel[axis] + Added[axis] - Pads[axis] - Pads[2 + axis] > 0);

        public ModelProto Model()
        {
            GraphBuilder graph = new GraphBuilder().Input("input", 2, 3, Extents[0], Extents[1]).Pair("input", "x", 0.01f, 128)
                .Random("W", 3, 5, Kernel[0], Kernel[1]).Random("B", 5).Floats("low", [], -0.4f).Floats("high", [], 1.1f);
            string result = Bound.Length == 0 ? "y" : "t";
            graph.Node(
                $"up: {result} = ConvTranspose(x, W{(HasBias ? ", B" : "")})",
                Ints("strides", Stride, Stride),
                Ints("pads", Pads),
                Ints("output_padding", Added));
            if (Bound.Length > 0) graph.Node(Bound == "Relu" ? "y = Relu(t)" : "y = Clip(t, low, high)");
            return Quantized(graph);
        }

        private static AttributeProto Ints(string name, params int[] values) =>
            AttributeProto.IntList(name, Array.ConvertAll(values, static value => (long)value));
    }
}
