using System.Globalization;
using System.Text.RegularExpressions;
using Microsoft.ML.OnnxRuntime;
using NestQuant.Onnx.Files;
using NestQuant.Onnx.Validation;
using NestQuant.TestSupport;

namespace NestQuant.Onnx.Tests.Validation;

/// <summary>
/// The table of operators against the schemas of ONNX Runtime, which says in its errors how many inputs and outputs an operator has.
/// </summary>
public sealed partial class OperatorSignaturesTests
{
    public static TheoryData<string> Lines { get; } =
    [
        .. Table().Where(static line => !line.Contains("com.nestquant", StringComparison.Ordinal))
    ];

    [Theory]
    [MemberData(nameof(Lines))]
    public void EveryLineIsWhatOnnxRuntimeSays(string line)
    {
        string[] fields = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        string inputs = Letters(fields[2]), outputs = Letters(fields[3]);
        // ONNX Runtime turns a Constant into an initializer before it looks at its inputs.
        if (fields[0] == "Constant") return;

        foreach (int version in Versions(fields))
        {
            AssertRange(fields[0], version, "input", inputs, count => (Names(count), Names(Least(outputs))));
            AssertRange(fields[0], version, "output", outputs, count => (Names(Least(inputs)), Names(count)));
            AssertRequired(fields[0], version, inputs, "input", left => (left, Names(Least(outputs))));
            AssertRequired(fields[0], version, outputs, "output", left => (Names(Least(inputs)), left));
            string refusal = Refusal(Node(fields[0], Names(Least(inputs)), Names(Least(outputs))), version);
            Assert.Equal(fields.Length > 4, refusal.Contains("Required attribute", StringComparison.Ordinal));
        }
    }

    [Fact]
    public void OtherOperatorsAreNotChecked()
    {
        Assert.Null(OperatorSignatures.Of(GraphBuilder.Parse("y = Unheard(x)"), 17));
        Assert.Null(OperatorSignatures.Of(GraphBuilder.Parse("y = com.other.Conv(x)"), 17));
        Assert.Null(OperatorSignatures.Of(GraphBuilder.Parse("y = Mish(x)"), 17));
        Assert.NotNull(OperatorSignatures.Of(GraphBuilder.Parse("y = Mish(x)"), 18));
        Assert.NotNull(OperatorSignatures.Of(GraphBuilder.Parse("y = ai.onnx.Conv(x)"), 18));
    }

    private static void AssertRange(
        string op, int version, string kind, string letters, Func<int, (string[] Inputs, string[] Outputs)> sides)
    {
        bool bounded = !letters.AsSpan().ContainsAny('+', '*');
        foreach (int count in new[] { Least(letters) - 1, bounded ? letters.Length + 1 : -1 })
        {
            (string[] inputs, string[] outputs) = sides(Math.Max(count, 0));
            // Of a node without inputs and outputs ONNX Runtime says that it has neither.
            if (count < 0 || inputs.Length + outputs.Length == 0) continue;
            NodeProto node = Node(op, inputs, outputs);
            Match range = Range().Match(Refusal(node, version));
            Assert.True(range.Success && range.Groups["kind"].Value == kind, $"{op} {version} with {count} {kind}s");
            Assert.Equal((Least(letters), bounded ? letters.Length : int.MaxValue), (Number(range, "min"), Number(range, "max")));
            Assert.Throws<ModelException>(() => OperatorSignatures.Of(node, version)!.Verify(node));
        }
    }

    private static void AssertRequired(
        string op, int version, string letters, string kind, Func<string[], (string[] Inputs, string[] Outputs)> sides)
    {
        for (int i = 0; i < Least(letters); i++)
        {
            string[] left = Names(Least(letters));
            left[i] = "";
            (string[] inputs, string[] outputs) = sides(left);
            bool refused = Refusal(Node(op, inputs, outputs), version)
                .Contains($"{kind} {i} is marked single but has an empty string", StringComparison.Ordinal);
            Assert.Equal(refused, letters[i] == 'r');
        }
    }

    /// <summary>The first and the last version of the operator set in which a line of the table holds.</summary>
    private static IEnumerable<int> Versions(string[] fields)
    {
        int since = int.Parse(fields[1], CultureInfo.InvariantCulture);
        int[] later = [.. Table().Select(static line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            .Where(other => other[0] == fields[0])
            .Select(static other => int.Parse(other[1], CultureInfo.InvariantCulture)).Where(version => version > since)];
        // These are deprecated: newer versions have others in their place.
        int last = later.Length > 0 ? later.Min() - 1 : fields[0] switch { "Upsample" => 9, "Scatter" => 10, _ => ModelFile.MaxOpset };
        return fields[0].Contains('.', StringComparison.Ordinal) ? [17] : new[] { since, last }.Distinct();
    }

    private static NodeProto Node(string op, string[] inputs, string[] outputs)
    {
        int dot = op.LastIndexOf('.');
        var node = new NodeProto { Name = "n", OpType = op[(dot + 1)..], Domain = dot < 0 ? "" : op[..dot] };
        node.Input.AddRange(inputs);
        node.Output.AddRange(outputs.Select(static name => name.Length == 0 ? "" : $"y_{name}"));
        return node;
    }

    private static string Refusal(NodeProto node, int version)
    {
        var graph = new GraphBuilder();
        foreach (string input in node.Input.Where(static name => name.Length > 0)) graph.Input(input, 2);
        graph.Graph.Node.Add(node);
        ModelProto model = graph.Output([.. node.Output.Where(static name => name.Length > 0)]).Model(version);
        if (node.Domain.Length > 0) model.OpsetImport.Add(new OperatorSetIdProto { Domain = node.Domain, Version = 1 });
        try
        {
            using var options = new SessionOptions
            {
                GraphOptimizationLevel = GraphOptimizationLevel.ORT_DISABLE_ALL,
                IntraOpNumThreads = 1,
                LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL,
            };
            using var session = new InferenceSession(ModelFile.ToBytes(model), options);
            return "";
        }
        catch (OnnxRuntimeException e)
        {
            return e.Message;
        }
    }

    private static IEnumerable<string> Table()
    {
        using Stream resource = typeof(ModelValidation).Assembly.GetManifestResourceStream("OperatorSignatures.txt")!;
        using var reader = new StreamReader(resource);
        return [.. reader.ReadToEnd().Split('\n').Where(static line => line.Length > 0 && line[0] != '#')];
    }

    private static string Letters(string field) => field == "-" ? "" : field;

    private static int Least(string letters) => letters.LastIndexOfAny(['r', '+']) + 1;

    private static string[] Names(int count) => [.. Enumerable.Range(0, count).Select(static i => $"v{i}")];

    private static int Number(Match match, string group) => int.Parse(match.Groups[group].Value, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"has (?<kind>input|output) size \d+ not in range \[min=(?<min>\d+), max=(?<max>\d+)\]", RegexOptions.ExplicitCapture)]
    private static partial Regex Range();
}
