using System.Collections.Concurrent;
using Microsoft.ML.OnnxRuntime;
using NestQuant.Compiler.Pipeline;
using NestQuant.Onnx;
using NestQuant.Onnx.Graph;
using NestQuant.Onnx.Validation;
using NestQuant.Passes.OperatorSets;
using NestQuant.Passes.Tests.Models;
using Xunit.Abstractions;

namespace NestQuant.Passes.Tests.OperatorSets;

/// <summary>
/// Every version of every operator between the oldest and the newest operator set: a node of it, run by ONNX Runtime as it is and upgraded.
/// </summary>
public sealed class OperatorSetUpgradeTests(ITestOutputHelper output)
{
    private static readonly UpgradeCase[] Cases =
        [.. ArithmeticCases.All, .. LayerCases.All, .. MovementCases.All, .. ResizeCases.All, .. SubgraphCases.All];

    /// <summary>What ONNX Runtime calls another operator, or takes as a constant before it looks at the node.</summary>
    private static readonly (string Operator, int Before, int After)[] Untold =
    [
        ("Scatter", 9, 11), ("Upsample", 9, 10), ("Constant", 1, 9), ("Constant", 9, 11), ("Constant", 11, 12), ("Constant", 12, 13),
    ];

    /// <summary>Changes that no node can be upgraded through.</summary>
    private static readonly (string Operator, int After)[] Refused = [("MeanVarianceNormalization", 9), ("Scan", 9)];

    [Fact]
    public void EveryVersionOfEveryOperatorComputesTheSame()
    {
        var failures = new ConcurrentBag<string>();
        int runs = 0;
        Parallel.ForEach(Cases.SelectMany(tried => Opsets(tried).Select(opset => (Case: tried, Opset: opset))), tried =>
        {
            Dictionary<string, TensorValue>? expected = Run(tried.Case, tried.Opset, out string refusal);
            if (expected is null)
            {
                failures.Add($"{tried}: not run as it is: {refusal}");
                return;
            }

            foreach (int target in (int[])[OperatorSetUpgradePass.Sufficient, OperatorSetUpgradePass.Newest])
            {
                if (target <= tried.Opset) continue;
                Interlocked.Increment(ref runs);
                if (Compare(tried.Case, tried.Opset, target, expected) is { } failure) failures.Add($"{tried} to {target}: {failure}");
            }
        });
        output.WriteLine($"{Cases.Length} forms, {runs} upgrades, {failures.Count} failed");
        Assert.True(failures.IsEmpty, string.Join('\n', failures.Order(StringComparer.Ordinal)));
    }

    /// <summary>So that an operator that ONNX changes, or that was forgotten, is noticed.</summary>
    [Fact]
    public void EveryChangeHasACase()
    {
        (string Operator, int Before, int After)[] changes = [.. OperatorHistory.Changes, .. Untold];
        output.WriteLine($"{changes.Length} changes of {changes.DistinctBy(static change => change.Operator).Count()} operators");
        Assert.True(changes.Length > 150);
        Assert.DoesNotContain(changes, static change => !Refused.Contains((change.Operator, change.After))
            && !Cases.Any(tried => tried.Operator == change.Operator
                && Opsets(tried).Any(opset => opset >= change.Before && opset < change.After)));
    }

    [Fact]
    public void EveryRowOfTheTableIsAChangeThatNeedsIt()
    {
        foreach ((string op, int version, UpgradeRule rule) in OperatorSetChanges.All)
        {
            Assert.Contains(OperatorHistory.Changes.Concat(Untold), change => change.Operator == op && change.After == version);
            if (rule is Passes.OperatorSets.Refused) continue;
            UpgradeCase[] cases = [.. Cases.Where(tried => tried.Operator == op && tried.First < version && tried.Last >= version - 1)];
            Assert.True(Array.Exists(cases, tried => IsChangedBy(tried, version)), $"{op} {version} changes no case");
        }
    }

    /// <summary>Whether the nodes of the version before have other results, or none, in a version.</summary>
    private static bool IsChangedBy(UpgradeCase tried, int version)
    {
        int before = version - 1;
        Dictionary<string, TensorValue> expected = Run(tried, before, out _)!;
        ModelProto model = tried.Build(before);
        new OperatorSetUpgradePass(version - 1).Run(new ModelContext(model));
        model.OpsetImport[0].Version = version;
        try
        {
            return !AreEqual(expected, ModelRunner.Run(model, ("x", TensorValue.Random(tried.Shape))));
        }
        catch (OnnxRuntimeException)
        {
            return true;
        }
    }

    /// <summary>The operator sets to try a case in: the first one, and every one that changed its operator.</summary>
    private static IEnumerable<int> Opsets(UpgradeCase tried) => OperatorHistory.Changes.Concat(Untold)
        .Where(change => change.Operator == tried.Operator && change.After > tried.First && change.After <= tried.Last)
        .Select(static change => change.After)
        .Prepend(tried.First);

    private static Dictionary<string, TensorValue>? Run(UpgradeCase tried, int opset, out string refusal)
    {
        try
        {
            refusal = "";
            return ModelRunner.Run(tried.Build(opset), ("x", TensorValue.Random(tried.Shape)));
        }
        catch (OnnxRuntimeException failure)
        {
            refusal = failure.Message;
            return null;
        }
    }

    private static string? Compare(UpgradeCase tried, int opset, int target, Dictionary<string, TensorValue> expected)
    {
        ModelProto model = tried.Build(opset);
        var context = new ModelContext(model);
        new OperatorSetUpgradePass(target).Run(context);
        if (model.OpsetVersion() != target) return context.Decisions.Decisions[0].Reason ?? context.Decisions.Decisions[0].Warning;
        try
        {
            ModelValidation.Verify(model);
            return AreEqual(expected, ModelRunner.Run(model, ("x", TensorValue.Random(tried.Shape)))) ? null : "other results";
        }
        catch (Exception failure) when (failure is OnnxRuntimeException or ModelException)
        {
            return failure.Message;
        }
    }

    private static bool AreEqual(Dictionary<string, TensorValue> expected, Dictionary<string, TensorValue> actual) =>
        expected.All(pair => actual[pair.Key] is { } value
            && value.Type == pair.Value.Type
            && value.Shape.AsSpan().SequenceEqual(pair.Value.Shape)
            && value.Bytes.AsSpan().SequenceEqual(pair.Value.Bytes));
}
