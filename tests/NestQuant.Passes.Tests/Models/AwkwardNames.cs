using NestQuant.Onnx;
using NestQuant.Onnx.Graph;

namespace NestQuant.Passes.Tests.Models;

/// <summary>
/// Gives the values and nodes of a model names that the compiler or the export would like to give, odd ones, and, for nodes, none.
/// </summary>
internal static class AwkwardNames
{
    private static readonly string[] ValueSuffixes =
    [
        "_quantized", "_scale", "_zero_point", "_channels_last", "_channels_first", "_dequantized", "_high", "_low", "_int8",
        "_int8_zero_point", "_int8_dequantized", "_product", "_bias",
        "_int32", "_int32_scale", "_folded", "_table", "_moved", "_index", "_bounded", "_pooled", "_quantized_dequantized", "_1",
    ];

    private static readonly string[] NodeSuffixes =
        [
            "_quantize", "_dequantize", "_to_channels_last", "_to_channels_first", "_add_bias", "_identity", "_requantize", "_clamp",
            "_int8_dequantize", "_quantized_dequantize", "_channels_first", "_1", ""
        ];

    private static readonly string[] Odd = ["n a m e", "{0}", "/a/b:0", "\"quoted\\", "naïve-名", "1", "a=b,c(d)"];

    /// <summary>Renames about half of the values that nodes make, and all nodes; inputs, weights and outputs keep their names.</summary>
    public static void Give(ModelProto model, int seed)
    {
        var random = new Random(seed);
        GraphProto main = model.Graph!;
        string[] made = [.. model.AllNodes().SelectMany(static node => node.Output).Where(static name => name.Length > 0)];
        string[] bases =
        [
            .. main.Input.Select(static input => input.Name), .. main.Initializer.Select(static tensor => tensor.Name), .. made
        ];
        HashSet<string> taken = [.. bases, PrecisionInputName];
        var renamed = new Dictionary<string, string>(StringComparer.Ordinal);
        string Pick(string[] suffixes) =>
            random.Next(6) == 0 ? Odd[random.Next(Odd.Length)] : bases[random.Next(bases.Length)] + suffixes[random.Next(suffixes.Length)];
        foreach (string name in made.Except(main.Output.Select(static output => output.Name)))
        {
            string wanted = Pick(ValueSuffixes);
            if (random.Next(2) == 0 && taken.Add(wanted)) renamed[name] = wanted;
        }

        foreach (GraphView view in GraphView.Of(main).WithInner())
            Rename(view.Graph, renamed, () => random.Next(4) == 0 ? "" : Pick(NodeSuffixes));
    }

    /// <summary>A value of this name is refused, since the precision input needs it.</summary>
    private const string PrecisionInputName = Passes.Nesting.PrecisionInput.Name;

    private static void Rename(GraphProto graph, Dictionary<string, string> values, Func<string> pick)
    {
        var nodes = new HashSet<string>(StringComparer.Ordinal);
        foreach (NodeProto node in graph.Node)
        {
            // Also the names of nodes in other graphs, but never two in one, which ONNX Runtime refuses.
            string name = pick();
            if (name.Length == 0 || nodes.Add(name)) node.Name = name;
            for (int i = 0; i < node.Input.Count; i++) node.Input[i] = values.GetValueOrDefault(node.Input[i], node.Input[i]);
            for (int i = 0; i < node.Output.Count; i++) node.Output[i] = values.GetValueOrDefault(node.Output[i], node.Output[i]);
        }

        foreach (ValueInfoProto output in graph.Output) output.Name = values.GetValueOrDefault(output.Name, output.Name);
    }
}
