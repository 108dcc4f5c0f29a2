using CsCheck;
using Microsoft.ML.OnnxRuntime;
using NestQuant.Compiler.Pipeline;
using NestQuant.Onnx;
using NestQuant.Onnx.Validation;
using NestQuant.Passes.Nesting;
using NestQuant.Passes.Tests.Models;
using NestQuant.RuntimeOps.Packing;
using NestQuant.TestSupport;

namespace NestQuant.Passes.Tests;

/// <summary>The default pipeline on random graphs of everything that it rewrites, with shared values, bodies and many outputs.</summary>
public sealed class RandomGraphTests
{
    private const float Tolerance = 2e-5f;

    private static readonly string[] Kinds =
        ["identity", "dropout", "sin", "add", "conv", "norm", "constant", "chain", "body", "body constant", "body conv", "transposed",
         "call"];

    private static readonly Gen<Step[]> Steps =
        (from kind in Gen.OneOf(Kinds)
         from a in Gen.Int[0, 30]
         from b in Gen.Int[0, 30]
         from isOutput in Gen.Int[0, 3]
         select new Step(kind, a, b, isOutput == 0)).Array[2, 14];

    /// <summary>Builders of the graphs: building twice gives equal models.</summary>
    internal static Gen<Func<ModelProto>> Models { get; } = Steps.Select(static steps => new Func<ModelProto>(() => Build(steps)));

    /// <summary>What the graphs read.</summary>
    internal static (string Name, TensorValue Value)[] Feeds { get; } =
    [
        ("x", TensorValue.Random(1, 4, 3, 3)), ("c", TensorValue.OfBool(true))
    ];

    [Fact]
    public void CleanupAndFoldingKeepTheResults() => Steps.Sample(
        static steps =>
        {
            Dictionary<string, TensorValue> expected = ModelRunner.Run(Build(steps), Feeds);
            ModelProto model = Build(steps);
            PassPipeline pipeline = NestQuantCompiler.CreatePipeline(new CompilerOptions());
            pipeline.Run(new ModelContext(model));
            ModelValidation.Verify(model);
            AssertSame(expected, ModelRunner.Run(model, Feeds));
            AssertFixedPoint(pipeline, model);
        },
        iter: 150);

    [Fact]
    public void NestedGraphsRunAtBothPrecisions() => Steps.Sample(
        static steps =>
        {
            ModelProto folded = Build(steps), nested = Build(steps);
            NestQuantCompiler.CreatePipeline(new CompilerOptions()).Run(new ModelContext(folded));
            var options = new CompilerOptions
            {
                Weights = new() { Bits = new NestedBits(8, 4), Scheme = WeightScheme.Affine },
                Activations = new() { Mode = ActivationMode.WeightOnly },
            };
            PassPipeline pipeline = NestQuantCompiler.CreatePipeline(options);
            pipeline.Run(new ModelContext(nested));
            ModelValidation.Verify(nested);
            AssertFixedPoint(pipeline, nested);
            if (PartModel.From(nested) is not { } part) return;

            using InferenceSession session = ModelRunner.Open(nested);
            AssertSame(ModelRunner.Run(Nesting.DequantizedModel.Of(folded, nested, part: false), Feeds), ModelRunner.Run(session, Feeds));
            Dictionary<string, TensorValue> atPart = ModelRunner.Run(session, [.. Feeds, ("nest_bits", TensorValue.OfInt32([], 4))]);
            AssertSame(ModelRunner.Run(Nesting.DequantizedModel.Of(folded, nested, part: true), Feeds), atPart);
            foreach ((string name, TensorValue value) in ModelRunner.Run(part, Feeds)) Assert.Equal(atPart[name].Bytes, value.Bytes);
        },
        iter: 100);

    private static void AssertSame(Dictionary<string, TensorValue> expected, Dictionary<string, TensorValue> actual)
    {
        Assert.Equal(expected.Keys, actual.Keys);
        foreach ((string name, TensorValue value) in expected) Closeness.AssertClose(value, actual[name], Tolerance);
    }

    private static void AssertFixedPoint(PassPipeline pipeline, ModelProto model)
    {
        foreach (IGraphPass pass in pipeline.Passes)
        {
            var again = new ModelContext(model);
            Assert.False(
                pass.Run(again).Changed,
                $"{pass.Name} changed the pipeline's result: "
                    + $"{string.Join("; ", again.Decisions.Decisions.Where(static decision => decision.Rewritten))}");
        }
    }

    private static ModelProto Build(Step[] steps)
    {
        GraphBuilder graph = new GraphBuilder()
            .Input("x", 1, 4, 3, 3)
            .Input(TensorDataType.Bool, "c")
            .Random("k0", 4, 1, 1)
            .Random("k1", 4, 1, 1)
            .Random("W0", 4, 4, 1, 1)
            .Random("W1", 4, 4, 1, 1)
            .Random("scale", 4).Random("bias", 4).Random("mean", 4).Floats("variance", [4], 0.5f, 1, 1.5f, 2);
        var values = new List<string> { "x" };
        var outputs = new List<string>();
        for (int i = 0; i < steps.Length; i++)
        {
            Step step = steps[i];
            string a = values[step.A % values.Count],
                b = values[step.B % values.Count],
                y = $"v{i}",
                k = $"k{step.B % 2}",
                weight = $"W{step.B % 2}";
            Add(graph, step.Kind, i, a, b, k, weight, y);
            values.Add(y);
            if (step.IsOutput) outputs.Add(y);
        }

        if (outputs.Count == 0) outputs.Add(values[^1]);
        graph.Output([.. outputs]);
        ModelProto model = graph.Model(domains: "local");
        model.Functions.Add(
            Functions.Of("F", ["p", "q"], "r", GraphBuilder.Parse("v0 = Conv(p, q)"), GraphBuilder.Parse("r = Softsign(v0)")));
        return model;
    }

    private static void Add(GraphBuilder graph, string kind, int i, string a, string b, string k, string weight, string y)
    {
        switch (kind)
        {
            case "identity":
                graph.Node($"{y} = Identity({a})");
                break;
            case "dropout":
                graph.Node($"{y} = Dropout({a})");
                break;
            case "add":
                graph.Node($"s{i} = Add({a}, {b})").Node($"{y} = Tanh(s{i})");
                break;
            case "conv":
                graph.Node($"{y} = Conv({a}, {weight})");
                break;
            case "norm":
                graph.Node($"{y} = BatchNormalization({a}, scale, bias, mean, variance)");
                break;
            case "constant":
                graph.Node($"n{i} = Constant()", AttributeProto.Float("value_float", 0.5f)).Node($"{y} = Mul({a}, n{i})");
                break;
            case "chain":
                graph.Node($"n{i} = Neg({k})").Node($"m{i} = Identity(n{i})").Node($"{y} = Add({a}, m{i})");
                break;
            case "transposed":
                graph.Node($"t{i} = Transpose({weight})", AttributeProto.IntList("perm", 1, 0, 2, 3)).Node($"{y} = Conv({a}, t{i})");
                break;
            case "call":
                graph.Node($"{y} = local.F({a}, {weight})");
                break;
            case "body":
                If(graph, y, new GraphBuilder("then").Node($"p{i} = Identity({a})").Node($"q{i} = Sin(p{i})").Output($"q{i}"), b, i);
                break;
            case "body constant":
                If(
                    graph,
                    y,
                    new GraphBuilder("then")
                        .Node($"p{i} = Constant()", AttributeProto.Float("value_float", 2))
                        .Node($"q{i} = Mul({a}, p{i})")
                        .Node($"r{i} = Identity(q{i})")
                        .Output($"r{i}"),
                    b,
                    i);
                break;
            case "body conv":
                If(
                    graph,
                    y,
                    new GraphBuilder("then")
                        .Node($"p{i} = Conv({a}, {weight})")
                        .Node($"q{i} = BatchNormalization(p{i}, scale, bias, mean, variance)")
                        .Output($"q{i}"),
                    b,
                    i);
                break;
            default:
                graph.Node($"{y} = Sin({a})");
                break;
        }
    }

    private static void If(GraphBuilder graph, string output, GraphBuilder then, string other, int i) =>
        graph.Node(
            $"{output} = If(c)",
            AttributeProto.Graph("then_branch", then.Graph),
            AttributeProto.Graph("else_branch", new GraphBuilder("else").Node($"e{i} = Neg({other})").Output($"e{i}").Graph));

    private sealed record Step(string Kind, int A, int B, bool IsOutput);
}
