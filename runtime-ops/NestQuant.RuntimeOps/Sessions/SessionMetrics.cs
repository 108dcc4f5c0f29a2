using System.Diagnostics.Metrics;

namespace NestQuant.RuntimeOps.Sessions;

/// <summary>Counters of one session in the meter <c>NestQuant.RuntimeOps</c>.</summary>
/// <param name="model">The model's file name, tag <c>model</c> of every measurement.</param>
internal sealed class SessionMetrics(string model)
{
    /// <summary>The meter's name.</summary>
    public const string MeterName = "NestQuant.RuntimeOps";

    private static readonly Meter s_meter = new(MeterName);

    private static readonly Counter<long> s_runs =
        s_meter.CreateCounter<long>("nestquant.runs", "{run}", "Runs, by the precision that they were started with.");

    private static readonly Counter<long> s_switches =
        s_meter.CreateCounter<long>("nestquant.switches", "{switch}", "Switches of the precision.");

    private static readonly Counter<long> s_paged =
        s_meter.CreateCounter<long>("nestquant.paged", "By", "Bytes of low operands that switches have fetched or released.");

    private readonly KeyValuePair<string, object?> _model = new("model", model);

    /// <summary>Counts a run.</summary>
    public void Ran(int bits) => s_runs.Add(1, _model, new("bits", bits));

    /// <summary>Counts a switch.</summary>
    /// <param name="from">Bits before.</param>
    /// <param name="to">Bits after.</param>
    /// <param name="bytes">Bytes fetched, or released where negative.</param>
    public void Switched(int from, int to, long bytes)
    {
        s_switches.Add(1, _model, new("from", from), new("to", to));
        if (bytes != 0)
            s_paged.Add(Math.Abs(bytes), _model, new("direction", bytes > 0 ? "fetched" : "released"));
    }
}
