using System.Globalization;
using System.Text.RegularExpressions;
using Microsoft.ML.OnnxRuntime;
using NestQuant.Onnx;
using NestQuant.Onnx.Files;
using NestQuant.Onnx.Validation;
using NestQuant.Passes.OperatorSets;
using NestQuant.TestSupport;

namespace NestQuant.Passes.Tests.OperatorSets;

/// <summary>The versions of ONNX's operators, which ONNX Runtime names when it refuses a node with the wrong number of inputs.</summary>
internal static partial class OperatorHistory
{
    private const int TooMany = 30;

    private static readonly Lazy<Dictionary<string, int[]>> Versions = new(Ask);

    /// <summary>The versions of every operator, ascending, from the one that the oldest operator set has to the newest's.</summary>
    public static IReadOnlyDictionary<string, int[]> Of => Versions.Value;

    /// <summary>The changes of operators after the oldest operator set: operator, version before, version after.</summary>
    public static IEnumerable<(string Operator, int Before, int After)> Changes =>
        from entry in Of
        from pair in entry.Value.Zip(entry.Value.Skip(1))
        select (entry.Key, pair.First, pair.Second);

    private static Dictionary<string, int[]> Ask()
    {
        using Stream table = typeof(ModelValidation).Assembly.GetManifestResourceStream("OperatorSignatures.txt")!;
        using var reader = new StreamReader(table);
        string[] operators =
        [
            .. reader.ReadToEnd().Split('\n').Select(static line => line.Split(' ')[0])
                .Where(static name => name.Length > 0 && name[0] != '#' && !name.Contains('.', StringComparison.Ordinal)).Distinct()
        ];
        return operators.AsParallel().ToDictionary(static name => name, static name =>
            Enumerable.Range(OperatorSetUpgradePass.Oldest, OperatorSetUpgradePass.Newest - OperatorSetUpgradePass.Oldest + 1)
                .Select(opset => VersionOf(name, opset)).OfType<int>().Distinct().ToArray());
    }

    private static int? VersionOf(string op, int opset) => Refusal(op, opset, 0) ?? Refusal(op, opset, TooMany);

    private static int? Refusal(string op, int opset, int inputs)
    {
        var node = new NodeProto { OpType = op, Name = "n" };
        node.Input.AddRange(Enumerable.Repeat("x", inputs));
        node.Output.AddRange(Enumerable.Range(0, TooMany).Select(static i => FormattableString.Invariant($"y{i}")));
        GraphBuilder graph = new GraphBuilder().Input("x", 2);
        graph.Graph.Node.Add(node);
        using var options = new SessionOptions { LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL, IntraOpNumThreads = 1 };
        try
        {
            using var session = new InferenceSession(ModelFile.ToBytes(graph.Output("y0").Model(opset)), options);
            return null;
        }
        catch (OnnxRuntimeException refusal)
        {
            Match match = Schema().Match(refusal.Message);
            return match.Success ? int.Parse(match.Groups["version"].Value, CultureInfo.InvariantCulture) : null;
        }
    }

    [GeneratedRegex(@"schema\(::\w+:(?<version>\d+)\)", RegexOptions.ExplicitCapture)]
    private static partial Regex Schema();
}
