using CsCheck;
using NestQuant.Onnx;
using NestQuant.Passes.GroupNL;
using NestQuant.Passes.Tests.Models;
using NestQuant.TestSupport;

namespace NestQuant.Passes.Tests.GroupNL;

/// <summary>
/// However maps are split, repeated, picked, joined and shuffled on their way to the output, the operator yields the same.
/// </summary>
public sealed class GroupNLPropertyTests
{
    private const int Seeds = 6;

    /// <summary>A step that puts the maps in another order: what it is, and a number that says how.</summary>
    private static readonly Gen<(int Kind, int Amount)[]> Steps = Gen.Select(Gen.Int[0, 4], Gen.Int[0, 1000]).Array[0, 5];

    [Fact]
    public void AnyArrangementOfMaps() => Gen.Select(Steps, Steps, Gen.Long[1, 3]).Sample(
        (before, after, batch) =>
        {
            ModelProto model = Build(before, after, out int generated);
            PassRun run = PassRun.Preserving(new GroupNLFusePass(), model, 1e-5f, ("x", TensorValue.Random(batch, Seeds, 2, 3)));
            Assert.Equal(["GroupNLExpand"], run.Ops);
            Assert.Equal(generated, run.Graph.Node[0].GetInts("source")!.Length);
        },
        iter: 60,
        threads: 1);

    private static ModelProto Build((int Kind, int Amount)[] before, (int Kind, int Amount)[] after, out int generated)
    {
        GraphBuilder graph = new GraphBuilder().Input("x", -1, Seeds, 2, 3).Floats("epsilon", [], 1e-12f)
            .Node("norm = ReduceL2(x)", AttributeProto.IntList("axes", 1))
                .Node("bounded = Clip(norm, epsilon)")
                .Node("n = Div(x, bounded)");
        (string maps, int count) = Rearrange(graph, "n", Seeds, before, "b");
        graph.Random("shift", 1, count, 1, 1).Random("period", 1, count, 1, 1)
            .Node($"shifted = Sub({maps}, shift)").Node("scaled = Mul(shifted, period)").Node("sine = Sin(scaled)");
        (string last, generated) = Rearrange(graph, "sine", count, after, "a");
        return graph.Node($"y = Concat(n, {last})", AttributeProto.Int("axis", 1)).Output("y").Model();
    }

    private static (string Maps, int Count) Rearrange(
        GraphBuilder graph, string maps, int count, (int Kind, int Amount)[] steps, string prefix)
    {
        for (int i = 0; i < steps.Length; i++)
        {
            (int kind, int amount) = steps[i];
            string p = $"{prefix}{i}", result = $"{p}_maps";
            switch (kind)
            {
                case 0: // two parts in exchanged order
                    int first = amount % count;
                    graph.Int64s($"{p}_sizes", first, count - first)
                        .Node($"{p}_l, {p}_r = Split({maps}, {p}_sizes)", AttributeProto.Int("axis", -3))
                        .Node($"{result} = Concat({p}_r, {p}_l)", AttributeProto.Int("axis", 1));
                    break;
                case 1 when count <= 24: // repeated
                    int times = 1 + (amount % 3);
                    graph.Int64s($"{p}_times", 1, times, 1, 1).Node($"{result} = Tile({maps}, {p}_times)");
                    count *= times;
                    break;
                case 2: // picked in any order, with repetitions
                    var random = new Random(amount);
                    graph.Int64s($"{p}_picked", [.. Enumerable.Range(0, count).Select(_ => (long)random.Next(-count, count))])
                        .Node($"{result} = Gather({maps}, {p}_picked)", AttributeProto.Int("axis", 1));
                    break;
                case 3 when count > 1: // cut at the end
                    graph.Int64s($"{p}_start", 0)
                        .Int64s($"{p}_end", -1)
                        .Int64s($"{p}_axis", 1)
                        .Node($"{result} = Slice({maps}, {p}_start, {p}_end, {p}_axis)");
                    count--;
                    break;
                default: // shuffled
                    int groups = Enumerable.Range(1, count)
                        .Where(g => count % g == 0)
                        .ElementAt(amount % Enumerable.Range(1, count).Count(g => count % g == 0));
                    graph.Int64s($"{p}_grouped", -1, groups, count / groups, 2, 3)
                        .Int64s($"{p}_plain", 0, amount % 2 == 0 ? count : -1, 2, 3)
                        .Node($"{p}_g = Reshape({maps}, {p}_grouped)")
                            .Node($"{p}_t = Transpose({p}_g)", AttributeProto.IntList("perm", 0, 2, 1, 3, 4))
                        .Node($"{result} = Reshape({p}_t, {p}_plain)");
                    break;
            }

            maps = result;
        }

        return (maps, count);
    }
}
