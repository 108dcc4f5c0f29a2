using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json;
using NestQuant.Data;
using NestQuant.RuntimeOps.Kernels;
using NestQuant.RuntimeOps.Kernels.Convolutions;

namespace NestQuant.Evaluation.Benchmarking;

/// <summary>Where a model's time goes: ONNX Runtime's own profile of its nodes, with the implementation of each nested one.</summary>
internal static class NodeProfile
{
    private const string KernelTime = "_kernel_time";

    /// <summary>Runs a model with profiling, which makes each run slower than it is otherwise.</summary>
    public static IReadOnlyList<NodeResult> Measure(
        Bench.Subject subject, IReadOnlyList<NamedArray> inputs, BenchOptions options, CancellationToken cancellation)
    {
        var plans = new ConcurrentDictionary<string, PlanNote>(StringComparer.Ordinal);
        DirectoryInfo folder = Directory.CreateTempSubdirectory("nestquant-profile-");
        void Note(string node, PlanNote plan) => plans[node] = plan;
        PlanObserver.Planned += Note;
        try
        {
            string prefix = Path.Combine(folder.FullName, "nodes");
            using ModelSession session = ModelSession.Open(
                subject.Model, options.Threads, subject.Precisions, prefix, options.SessionConfig);
            using (PreparedRun run = session.Prepare(inputs, subject.Bits))
            {
                for (int i = 0; i <= options.Runs; i++)
                {
                    cancellation.ThrowIfCancellationRequested();
                    run.Run().Dispose();
                }
            }

            using var profile = JsonDocument.Parse(File.ReadAllText(session.EndProfiling()));
            return Summarise(profile.RootElement, plans);
        }
        finally
        {
            PlanObserver.Planned -= Note;
            folder.Delete(recursive: true);
        }
    }

    private static List<NodeResult> Summarise(JsonElement events, IReadOnlyDictionary<string, PlanNote> plans)
    {
        var order = new List<string>();
        var times = new Dictionary<string, List<double>>(StringComparer.Ordinal);
        var first = new Dictionary<string, JsonElement>(StringComparer.Ordinal);
        foreach (JsonElement item in events.EnumerateArray())
        {
            string name = item.GetProperty("name").GetString()!;
            if (item.GetProperty("cat").GetString() != "Node" || !name.EndsWith(KernelTime, StringComparison.Ordinal))
                continue;
            name = name[..^KernelTime.Length];
            if (first.TryAdd(name, item.GetProperty("args")))
            {
                // The first run of a node makes its plan, and does not count.
                order.Add(name);
                times[name] = [];
                continue;
            }

            times[name].Add(item.GetProperty("dur").GetDouble() / 1000);
        }

        double[] medians = [.. order.Select(name => Latency.Median(times[name]))];
        double all = medians.Sum();
        return [.. order.Select((name, i) => Result(name, first[name], medians[i], medians[i] / all, plans))];
    }

    private static NodeResult Result(
        string name, JsonElement arguments, double milliseconds, double share, IReadOnlyDictionary<string, PlanNote> plans)
    {
        string type = arguments.GetProperty("op_name").GetString()!;
        string shape = Shape(arguments);
        if (!plans.TryGetValue($"{type} node '{name}'", out PlanNote? plan))
            return new NodeResult(name, type, shape, null, milliseconds, null, share);
        ConvolutionGeometry geometry = plan.Geometry;
        double multiplyAdds = (double)geometry.Rows * geometry.ReductionLength * geometry.OutputChannels;
        return new NodeResult(name, type, shape, plan.Implementation, milliseconds, multiplyAdds / milliseconds / 1e6, share);
    }

    /// <summary>The shape of the first output; ONNX Runtime writes it as [{"uint8":[1,56,56,64]}].</summary>
    private static string Shape(JsonElement arguments)
    {
        if (!arguments.TryGetProperty("output_type_shape", out JsonElement outputs) || outputs.GetArrayLength() == 0)
            return "";
        JsonElement shape = outputs[0].EnumerateObject().First().Value;
        return string.Join('x', shape.EnumerateArray().Select(static d => d.GetInt64().ToString(CultureInfo.InvariantCulture)));
    }
}
