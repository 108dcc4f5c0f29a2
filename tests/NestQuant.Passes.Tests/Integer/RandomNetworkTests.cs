using CsCheck;
using NestQuant.Compiler.Pipeline;
using NestQuant.Onnx;
using NestQuant.Onnx.Text;
using NestQuant.Passes.Integer;
using NestQuant.Passes.Tests.Models;
using NestQuant.TestSupport;

namespace NestQuant.Passes.Tests.Integer;

/// <summary>Random networks of convolutions, residuals, gates, concatenations and pools, with shared values and inner outputs.</summary>
public sealed class RandomNetworkTests
{
    /// <summary>
    /// Room for one integer in a few hundred networks that is one step off, see <see cref="StaticNetworkTests"/>, and for what a Softmax
    /// makes of it.
    /// </summary>
    private const float Tolerance = 0.02f;

    private static readonly string[] Kinds =
    [
        "conv", "conv relu", "conv clip", "depthwise", "conv silu", "relu", "sigmoid", "hard swish", "leaky", "add", "add relu", "mul",
        "gate", "concat", "max pool", "average pool",
        "prelu", "scale", "offset", "conv scale", "max leaky", "constant concat",
        "pad", "slice", "split", "resize", "softmax", "shuffle", "twice", "transposed", "transposed relu", "transposed crop", "interpolate",
    ];

    private static readonly Gen<Step[]> Steps =
        (from kind in Gen.OneOf(Kinds)
         from a in Gen.Int[0, 30]
         from b in Gen.Int[0, 30]
         from isOutput in Gen.Int[0, 11]
         select new Step(kind, a, b, isOutput == 0)).Array[2, 12];

    /// <summary>Builders of the networks: building twice gives equal models.</summary>
    internal static Gen<Func<ModelProto>> Models { get; } = Steps.Select(static steps => new Func<ModelProto>(() => Build(steps)));

    /// <summary>What the networks read.</summary>
    internal static (string Name, TensorValue Value)[] Feeds => [("input", TensorValue.Random(1, 4, 8, 8))];

    [Fact]
    public void TheCompiledNetworkGivesWhatItsQuantizedFormGives() => Steps.Sample(
        static steps =>
        {
            foreach (bool part in (bool[])[false, true])
            {
                QdqReference reference = QdqReference.Of(Build(steps), part, Feeds);
                float error = reference.RelativeError(part ? 6 : null, Feeds);
                Assert.True(
                    error <= Tolerance,
                    FormattableString.Invariant($"relative error {error}, part {part}: {ModelText.Print(reference.Compiled)}"));
            }
        },
        iter: 30, threads: 1);

    [Fact]
    public void ThePassesLeaveNothingForASecondRun() => Steps.Sample(
        static steps =>
        {
            ModelProto model = QdqReference.Of(Build(steps), part: false, Feeds).Compiled;
            foreach (IGraphPass pass in (IGraphPass[])[new EpilogueFusionPass(), new IntegerOperatorPass(), new ChannelsLastPass()])
            {
                var again = new ModelContext(model);
                Assert.False(pass.Run(again).Changed, pass.Name);
                Assert.DoesNotContain(again.Decisions.Decisions, static decision => decision.Rewritten);
            }
        },
        iter: 30, threads: 1);

    private static ModelProto Build(Step[] steps)
    {
        GraphBuilder graph = new GraphBuilder()
            .Input("input", 1, 4, 8, 8)
            .Random("W0", 4, 4, 3, 3)
            .Random("W1", 4, 4, 1, 1)
            .Random("D", 4, 1, 3, 3)
            .Random("T2", 4, 4, 2, 2)
            .Random("T3", 4, 4, 3, 3)
            .Random("T4", 4, 4, 4, 4)
            .Int64s("sizes", 1, 4, 11, 13)
            .Random("B", 4)
            .Random("V", 4, 8, 1, 1)
            .Random("slope", 4, 1, 1)
            .Random("factor", 1, 4, 1, 1)
            .Random("offset", 4, 1, 1)
            .Random("constant", 1, 4, 8, 8)
            .Floats("low", [], -0.3f)
                .Floats("high", [], 0.7f)
                .Int64s("pads", 0, 0, 1, 1, 0, 0, 1, 1)
                .Int64s("starts", 1, 1)
                .Int64s("ends", 9, 9)
                .Int64s("axes", 2, -1)
                .Floats("scales", [4], 1, 1, 2, 2)
            .Int64s("groups", 1, 2, 2, 8, 8).Int64s("shape", 1, 4, 8, 8);
        // Every value is [1, 4, 8, 8], so that any two can be combined.
        var values = new List<string> { "input" };
        graph.Node("start = Conv(input, W0, B)", Ints("pads", 1, 1, 1, 1));
        values.Add("start");
        var outputs = new List<string>();
        for (int i = 0; i < steps.Length; i++)
        {
            Step step = steps[i];
            string a = values[step.A % values.Count], b = values[step.B % values.Count], y = $"v{i}", t = $"t{i}", u = $"u{i}";
            _ = step.Kind switch
            {
                "conv" => graph.Node($"{y} = Conv({a}, W0, B)", Ints("pads", 1, 1, 1, 1)),
                "conv relu" => graph.Node($"{t} = Conv({a}, W1)").Node($"{y} = Relu({t})"),
                "conv clip" => graph.Node($"{t} = Conv({a}, W1, B)").Node($"{y} = Clip({t}, low, high)"),
                "conv silu" => graph.Node($"{t} = Conv({a}, W1, B)").Node($"{u} = Sigmoid({t})").Node($"{y} = Mul({u}, {t})"),
                "depthwise" => graph.Node($"{y} = Conv({a}, D)", Ints("pads", 1, 1, 1, 1), AttributeProto.Int("group", 4)),
                "relu" => graph.Node($"{y} = Relu({a})"),
                "sigmoid" => graph.Node($"{y} = Sigmoid({a})"),
                "hard swish" => graph.Node($"{y} = HardSwish({a})"),
                "leaky" => graph.Node($"{y} = LeakyRelu({a})"),
                "add" => graph.Node($"{y} = Add({a}, {b})"),
                "add relu" => graph.Node($"{t} = Add({a}, {b})").Node($"{y} = Relu({t})"),
                "mul" => graph.Node($"{y} = Mul({a}, {b})"),
                "gate" =>
                    graph.Node($"{t} = GlobalAveragePool({a})")
                        .Node($"{u} = Conv({t}, W1, B)")
                        .Node($"{u}s = Sigmoid({u})")
                        .Node($"{y} = Mul({b}, {u}s)"),
                "concat" => graph.Node($"{t} = Concat({a}, {b})", AttributeProto.Int("axis", 1)).Node($"{y} = Conv({t}, V)"),
                "constant concat" => graph.Node($"{t} = Concat({a}, constant)", AttributeProto.Int("axis", 1)).Node($"{y} = Conv({t}, V)"),
                "prelu" => graph.Node($"{y} = PRelu({a}, slope)"),
                "scale" => graph.Node($"{y} = Mul(factor, {a})"),
                "offset" => graph.Node($"{t} = Sub({a}, offset)").Node($"{y} = Relu({t})"),
                "conv scale" => graph.Node($"{t} = Conv({a}, W1, B)").Node($"{u} = Mul({t}, factor)").Node($"{y} = Add({u}, offset)"),
                "max leaky" => graph.Node($"{t} = LeakyRelu({a})").Node($"{y} = Max({a}, {t})"),
                "max pool" => graph.Node($"{y} = MaxPool({a})", Ints("kernel_shape", 3, 3), Ints("pads", 1, 1, 1, 1)),
                "average pool" => graph.Node($"{y} = AveragePool({a})", Ints("kernel_shape", 3, 3), Ints("pads", 1, 1, 1, 1)),
                "pad" => graph.Node($"{t} = Pad({a}, pads)").Node($"{y} = Conv({t}, W0)"),
                "slice" => graph.Node($"{t} = Pad({a}, pads)").Node($"{y} = Slice({t}, starts, ends, axes)"),
                "split" =>
                    graph.Node($"{t}, {u} = Split({a})", AttributeProto.Int("axis", 1))
                        .Node($"{y} = Concat({u}, {t})", AttributeProto.Int("axis", 1)),
                "resize" =>
                    graph.Node($"{t} = Resize({a}, , scales)", AttributeProto.String("mode", "nearest"))
                        .Node($"{y} = MaxPool({t})", Ints("kernel_shape", 2, 2), Ints("strides", 2, 2)),
                "transposed" => Halved(graph.Node($"{t} = ConvTranspose({a}, T2, B)", Ints("strides", 2, 2)), t, y),
                "transposed relu" => Halved(
                    graph.Node(
                        $"{u} = ConvTranspose({a}, T3)",
                        Ints("strides", 2, 2),
                        Ints("pads", 1, 1, 1, 1),
                        Ints("output_padding", 1, 1)).Node($"{t} = Relu({u})"),
                    t,
                    y),
                "transposed crop" =>
                    Halved(graph.Node($"{t} = ConvTranspose({a}, T4, B)", Ints("strides", 2, 2), Ints("pads", 1, 1, 1, 1)), t, y),
                "interpolate" =>
                    graph.Node($"{t} = Resize({a}, , , sizes)", AttributeProto.String("mode", "linear"))
                        .Node($"{y} = MaxPool({t})", Ints("kernel_shape", 4, 6)),
                "shuffle" =>
                    graph.Node($"{t} = Reshape({a}, groups)")
                        .Node($"{u} = Transpose({t})", Ints("perm", 0, 2, 1, 3, 4))
                        .Node($"{y} = Reshape({u}, shape)"),
                "softmax" => graph.Node($"{y} = Softmax({a})", AttributeProto.Int("axis", 1)),
                _ => graph.Node($"{t} = Conv({a}, W1)").Node($"{u} = Relu({t})").Node($"{y} = Add({t}, {u})"),
            };
            values.Add(y);
            if (step.IsOutput) outputs.Add(y);
        }

        // The first output is the one that is compared.
        graph.Node($"last = Conv({values[^1]}, W0)", Ints("pads", 1, 1, 1, 1)).Output(["last", .. outputs]);
        return graph.Model();
    }

    private static GraphBuilder Halved(GraphBuilder graph, string doubled, string y) =>
        graph.Node($"{y} = MaxPool({doubled})", Ints("kernel_shape", 2, 2), Ints("strides", 2, 2));

    private static AttributeProto Ints(string name, params long[] values) => AttributeProto.IntList(name, values);

    private sealed record Step(string Kind, int A, int B, bool IsOutput);
}
