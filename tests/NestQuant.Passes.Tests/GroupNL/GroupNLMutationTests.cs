using CsCheck;
using Microsoft.ML.OnnxRuntime;
using NestQuant.Compiler.Pipeline;
using NestQuant.Onnx;
using NestQuant.Onnx.Files;
using NestQuant.Onnx.Validation;
using NestQuant.Passes.GroupNL;
using NestQuant.Passes.Tests.Models;
using NestQuant.TestSupport;

namespace NestQuant.Passes.Tests.GroupNL;

/// <summary>A block with something changed at random is fused only where it still computes the same, and never breaks the pass.</summary>
public sealed class GroupNLMutationTests
{
    private const int RunMutants = 600;

    private static readonly BlockForm[] Forms =
    [
        new() { Groups = [2, 2], Copies = 2, Shuffle = ShuffleForm.ComputedShapes },
        new() { Groups = [4], Shuffle = ShuffleForm.ConstantShapes, Norm = NormShape.Constant },
        new() { Groups = [2, 1, 1], Shuffle = ShuffleForm.Gather, MaxInsteadOfClip = true, Norm = NormShape.Broadcast, Opset = 18 },
    ];

    private static readonly Gen<(int Form, int Seed, int Changes)> Cases = Gen.Select(
        Gen.Int[0, 2], Gen.Int[0, int.MaxValue - 1], Gen.Int[1, 2]);

    private static readonly TensorValue X = TensorValue.Random(1, 3, BlockForm.Side, BlockForm.Side);

    /// <summary>
    /// Always the same mutants: ONNX Runtime itself ends the process on some invalid models, which a random seed would find one day.
    /// </summary>
    [Fact]
    public void AFusedMutantYieldsTheSame()
    {
        int fused = 0;
        for (int seed = 0; seed < RunMutants; seed++)
        {
            ModelProto model = Mutate((seed % Forms.Length, seed, 1 + (seed / Forms.Length % 2)));
            if (TryRun(model) is not { } expected || !new GroupNLFusePass().Run(new ModelContext(model)).Changed) continue;
            fused++;
            AssertYields(expected, model);
        }

        Assert.True(fused > RunMutants / 20, $"only {fused} mutants were fused: the test shows nothing");
    }

    private static void AssertYields(TensorValue expected, ModelProto model)
    {
        ModelValidation.Verify(model);
        TensorValue actual = ModelRunner.Run(model, ("x", X))["y"];
        Assert.Equal(expected.Shape, actual.Shape);
        float largest = expected.Floats.Select(MathF.Abs).Where(float.IsFinite).DefaultIfEmpty().Max();
        foreach ((float wanted, float given) in expected.Floats.Zip(actual.Floats))
            Assert.True(
                float.IsFinite(wanted) ? MathF.Abs(wanted - given) <= 1e-5f * MathF.Max(largest, 1) : wanted.Equals(given),
                $"{wanted} became {given}");
    }

    [Fact]
    public void AnyMutantIsHandled() => Cases.Sample(
        static mutation =>
        {
            ModelProto model = Mutate(mutation with { Changes = mutation.Changes * 4 });
            try
            {
                new GroupNLFusePass().Run(new ModelContext(model));
            }
            catch (ModelException)
            {
                // A broken tensor or attribute, named in one line.
            }
        },
        iter: 2000,
        threads: 1);

    private static TensorValue? TryRun(ModelProto model)
    {
        if (!IsSafeToRun(model.Graph!)) return null;
        try
        {
            using var options = new SessionOptions { IntraOpNumThreads = 1, LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL };
            using var session = new InferenceSession(ModelFile.ToBytes(model), options);
            return ModelRunner.Run(session, ("x", X))["y"] is { Type: Microsoft.ML.OnnxRuntime.Tensors.TensorElementType.Float } y
                ? y
                : null;
        }
        catch (OnnxRuntimeException)
        {
            return null;
        }
    }

    /// <summary>ONNX Runtime ends the process where an integer is divided by 0, and where Max and others miss an input.</summary>
    private static bool IsSafeToRun(GraphProto graph) => graph.Node.TrueForAll(node =>
        (node.OpType == "Clip" || !node.Input.Contains(""))
        && (node.OpType != "Div" || node.Output is ["y_n"]
            || (
                node.Output is ["y_per_group"]
                    && node.Input is ["y_size1", "y_g"]
                    && graph.Initializer.Find(static tensor => tensor.Name == "y_g")!.ToInt64s() is [2])));

    private static ModelProto Mutate((int Form, int Seed, int Changes) mutation)
    {
        var random = new Random(mutation.Seed);
        BlockForm form = Forms[mutation.Form];
        ModelProto model = ModelRunner.Clone(form.AddTo(form.Seed(new GraphBuilder(), "c"), "c").Output("y").Model(form.Opset));
        for (int i = 0; i < mutation.Changes; i++) Mutate(model.Graph!, random);
        return model;
    }

    private static void Mutate(GraphProto graph, Random random)
    {
        int position = random.Next(graph.Node.Count);
        NodeProto node = graph.Node[position];
        switch (random.Next(8))
        {
            case 0 or 1: // another integer in a shape, a size or an index
                TensorProto[] integers =
                [
                    .. graph.Initializer.Where(static tensor => tensor.DataType == TensorDataType.Int64 && tensor.ElementCount > 0)
                ];
                TensorProto chosen = integers[random.Next(integers.Length)];
                byte[] bytes = chosen.GetBytes().ToArray();
                BitConverter.TryWriteBytes(bytes.AsSpan(sizeof(long) * random.Next(bytes.Length / sizeof(long))), (long)random.Next(-2, 6));
                chosen.RawData = bytes;
                break;
            case 2 or 3: // another value read
                if (node.Input.Count == 0) break;
                string[] values =
                [
                    .. graph.Node.Take(position).SelectMany(static earlier => earlier.Output),
                    .. graph.Initializer.Select(static tensor => tensor.Name), "x", ""
                ];
                node.Input[random.Next(node.Input.Count)] = values[random.Next(values.Length)];
                break;
            case 4: // another operator
                node.OpType = (
                    (string[])[
                        "Add", "Sub", "Mul", "Div", "Sin", "Relu", "Identity", "Concat", "Max", "Reshape", "Expand"
                    ])[random.Next(11)];
                break;
            case 5: // another attribute
                if (node.Attribute.Count == 0) break;
                AttributeProto attribute = node.Attribute[random.Next(node.Attribute.Count)];
                if (attribute.Type == AttributeType.Int) attribute.I = random.Next(-3, 4);
                else if (attribute.Ints.Count > 0) attribute.Ints[random.Next(attribute.Ints.Count)] = random.Next(-1, 5);
                break;
            case 6: // constants of another shape
                TensorProto[] floats =
                [
                    .. graph.Initializer.Where(static tensor => tensor.DataType == TensorDataType.Float && tensor.Dims.Count == 4)
                ];
                TensorProto reshaped = floats[random.Next(floats.Length)];
                int from = random.Next(4), to = random.Next(4);
                (reshaped.Dims[from], reshaped.Dims[to]) = (reshaped.Dims[to], reshaped.Dims[from]);
                break;
            default: // one input or output fewer
                if (random.Next(4) == 0 && node.Output.Count > 0) node.Output.RemoveAt(node.Output.Count - 1);
                else if (node.Input.Count > 0) node.Input.RemoveAt(node.Input.Count - 1);
                break;
        }
    }
}
