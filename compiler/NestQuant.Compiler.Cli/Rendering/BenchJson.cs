using System.Text.Json;
using NestQuant.Evaluation.Benchmarking;

namespace NestQuant.Compiler.Cli.Rendering;

/// <summary>
/// The stable JSON form of <c>bench</c>. <c>bits</c> is null for a model without nested weights, <c>switch</c> for one with a single
/// precision; <c>nodes</c> is there with <c>--nodes</c>, with null for what only integer convolutions and products have.
/// </summary>
internal static class BenchJson
{
    private const double Mebi = 1 << 20;

    public static string Write(BenchResult result) => JsonText.Write(json =>
    {
        json.WriteStartObject();
        json.WriteNumber("threads", result.Threads);
        json.WriteString("kernels", result.Tier);
        json.WriteNumber("runs", result.Runs);
        json.WriteStartArray("results");
        foreach (ModelResult model in result.Models)
            WriteModel(json, model);
        json.WriteEndArray();
        if (result.Switch is { } cost)
        {
            json.WriteStartObject("switch");
            json.WriteNumber("part_to_full_us", Math.Round(cost.PartToFullUs, 1));
            json.WriteNumber("full_to_part_us", Math.Round(cost.FullToPartUs, 1));
            json.WriteEndObject();
        }
        else
        {
            json.WriteNull("switch");
        }

        if (result.Nodes is { } nodes)
        {
            json.WriteStartArray("nodes");
            foreach (NodeResult node in nodes)
                WriteNode(json, node);
            json.WriteEndArray();
        }

        json.WriteEndObject();
    });

    private static void WriteNode(Utf8JsonWriter json, NodeResult node)
    {
        json.WriteStartObject();
        json.WriteString("node", node.Node);
        json.WriteString("operator", node.Operator);
        json.WriteString("output", node.Shape);
        json.WriteString("implementation", node.Implementation);
        json.WriteNumber("median_ms", Math.Round(node.MedianMs, 4));
        if (node.GigaMultiplyAddsPerSecond is { } rate)
            json.WriteNumber("gmac_per_s", Math.Round(rate, 2));
        else
            json.WriteNull("gmac_per_s");
        json.WriteNumber("share", Math.Round(node.Share, 4));
        json.WriteEndObject();
    }

    private static void WriteModel(Utf8JsonWriter json, ModelResult model)
    {
        json.WriteStartObject();
        json.WriteString("model", model.Model);
        if (model.Bits is { } bits)
            json.WriteNumber("bits", bits);
        else
            json.WriteNull("bits");
        json.WriteNumber("median_ms", Math.Round(model.Latency.MedianMs, 4));
        json.WriteNumber("p99_ms", Math.Round(model.Latency.P99Ms, 4));
        json.WriteNumber("least_ms", Math.Round(model.Latency.LeastMs, 4));
        json.WriteNumber("session_ms", Math.Round(model.SessionMs, 3));
        json.WriteNumber("resident_mb", Math.Round(model.Memory.ResidentBytes / Mebi, 2));
        json.WriteNumber("model_mb", Math.Round(model.Memory.ModelBytes / Mebi, 2));
        json.WriteEndObject();
    }
}
