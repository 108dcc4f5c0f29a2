using System.Collections.Concurrent;
using Xunit.Abstractions;

namespace NestQuant.Passes.Tests.Integer.Sweep;

/// <summary>
/// Every operator that has a layout or an integer rule, and some that have none, over their attributes and operator sets, between two
/// convolutions and in front of an output: what is compiled and what is exported loads in ONNX Runtime and computes what it stands for.
/// </summary>
public sealed class OperatorSweepTests(ITestOutputHelper output)
{
    private static readonly Dictionary<string, Func<IEnumerable<OperatorCase>>> Families = new(StringComparer.Ordinal)
    {
        ["pools"] = static () => PoolCases.All,
        ["resizes"] = static () => ResizeCases.All,
        ["movements"] = static () => MovementCases.All,
        ["transposed"] = static () => TransposedCases.All,
        ["arithmetic"] = static () => ArithmeticCases.All,
    };

    /// <param name="family">Which operators.</param>
    /// <param name="refused">Cases whose source model ONNX Runtime refuses: no more than these say nothing.</param>
    [Theory]
    [InlineData("pools", 0)]
    [InlineData("resizes", 2)]
    [InlineData("movements", 0)]
    [InlineData("transposed", 0)]
    [InlineData("arithmetic", 0)]
    public void EveryFormIsRight(string family, int refused)
    {
        var failures = new ConcurrentBag<string>();
        var notApplicable = new ConcurrentBag<string>();
        OperatorCase[] cases = [.. Families[family]()];
        Parallel.ForEach(cases, tried =>
        {
            if (OperatorSweep.Run(tried) is not { } found) notApplicable.Add(tried.ToString());
            else if (found.Count > 0) failures.Add($"{tried}: {string.Join("; ", found)}");
        });
        output.WriteLine($"{cases.Length} cases, refused by ONNX Runtime: {notApplicable.Count}, failed: {failures.Count}");
        Assert.True(failures.IsEmpty, string.Join('\n', failures.Order(StringComparer.Ordinal)));
        Assert.True(notApplicable.Count <= refused, string.Join('\n', notApplicable.Order(StringComparer.Ordinal)));
    }
}
