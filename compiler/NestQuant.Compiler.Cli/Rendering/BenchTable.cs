using System.Globalization;
using NestQuant.Compiler.Cli.Terminal;
using NestQuant.Evaluation.Benchmarking;

namespace NestQuant.Compiler.Cli.Rendering;

/// <summary>What <c>bench</c> prints for people.</summary>
internal static class BenchTable
{
    public static void Write(CliConsole console, BenchResult result)
    {
        PlainTable table = new PlainTable()
            .Text("model")
            .Number("bits")
            .Number("median ms")
            .Number("p99 ms", rank: 3)
            .Number("/ first")
            .Number("session ms", rank: 1)
            .Number("process", rank: 2)
            .Number("model");
        foreach (ModelResult model in result.Models)
        {
            table.Row(
                model.Model,
                model.Bits is { } bits ? $"{bits}" : "-",
                Format(model.Latency.MedianMs, "0.000"),
                Format(model.Latency.P99Ms, "0.000"),
                Format(model.Latency.MedianMs / result.Models[0].Latency.MedianMs, "0.00"),
                Format(model.SessionMs, "0.0"),
                Numbers.Bytes(model.Memory.ResidentBytes),
                Numbers.Bytes(model.Memory.ModelBytes));
        }

        table.Write(console);
        console.Line(
            $"{result.Runs} interleaved runs of each, {result.Threads} {(result.Threads == 1 ? "thread" : "threads")}, "
                + $"{result.Tier} kernels; \"/ first\" is the median over that of the first line; \"model\" is the growth of a process by "
                + $"the model");
        if (result.Switch is { } cost)
            console.Line(
                $"a switch costs {Format(cost.PartToFullUs, "0")} us from part to full and {Format(cost.FullToPartUs, "0")} us from "
                    + $"full to part");
        if (result.Nodes is { } nodes)
            WriteNodes(console, result.Models[0], nodes);
    }

    private static void WriteNodes(CliConsole console, ModelResult model, IReadOnlyList<NodeResult> nodes)
    {
        console.Line($"");
        PlainTable table = new PlainTable()
            .Text("node")
            .Text("operator")
            .Text("output", rank: 1)
            .Text("implementation")
            .Number("ms")
            .Number("GMAC/s")
            .Number("share");
        foreach (NodeResult node in nodes)
        {
            table.Row(
                node.Node,
                node.Operator,
                node.Shape,
                node.Implementation ?? "-",
                Format(node.MedianMs, "0.000"),
                node.GigaMultiplyAddsPerSecond is { } rate ? Format(rate, "0.0") : "-",
                Format(100 * node.Share, "0.0") + " %");
        }

        table.Write(console);
        string precision = model.Bits is { } bits ? string.Create(CultureInfo.InvariantCulture, $" at {bits} bits") : "";
        console.Line($"the nodes of {model.Model}{precision}, profiled by ONNX Runtime");
    }

    private static string Format(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);
}
