using System.Globalization;
using NestQuant.RuntimeOps;
using NestQuant.RuntimeOps.Packing;
using static System.FormattableString;

namespace NestQuant.Benchmarks.Kernels;

/// <summary>
/// Single layers: the nested operators with uint8 in and out, full and part bit and with decoded weights kept, against ONNX Runtime's own
/// QLinearConv or QLinearMatMul on the same integers, as it is and held to exact sums (without VNNI its kernels saturate unless told not
/// to), and against its float operator. One process, one thread, the six sessions of a layer in turn, round after round, so that what else
/// the machine does falls on all alike.
/// </summary>
internal static class LayersBenchmark
{
    /// <summary>Runs the benchmark and prints its table.</summary>
    /// <param name="filter">Part of the names of the layers to run; empty for all.</param>
    /// <param name="rounds">Counted rounds per layer.</param>
    public static void Run(string filter, int rounds)
    {
        Console.WriteLine(Invariant($"1 thread, {rounds} interleaved rounds; ms are medians, GMAC/s and ratios come from the least times"));
        Console.WriteLine(
            "| layer | full ms | part ms | kept ms | ORT int8 ms | ORT exact int8 ms | ORT fp32 ms | full GMAC/s | part | kept | "
                + "ORT int8 | ORT exact | ORT fp32 | full : ORT int8 | part : ORT int8 | full : ORT exact | part : ORT exact |");
        Console.WriteLine("|" + string.Concat(Enumerable.Repeat(" --- |", 17)));
        foreach (LayerShape shape in LayerShape.All.Where(s => s.Name.Contains(filter, StringComparison.Ordinal)))
            RunLayer(shape, rounds);
    }

    private static void RunLayer(LayerShape shape, int rounds)
    {
        LayerModels models = new(shape, new NestedBits(8, 6));
        using TimedLayer full = new(models.Nested(bits: 8));
        using TimedLayer part = new(models.Nested(bits: 6));
        using TimedLayer kept = new(models.Nested(bits: 8), (NestQuantOps.CacheConfigEntry, "64m"));
        using TimedLayer integer = new(models.QuantizeDequantize());
        using TimedLayer exact = new(models.QuantizeDequantize(), ("session.x64quantprecision", "1"));
        using TimedLayer floats = new(models.Float());
        TimedLayer[] layers = [full, part, kept, integer, exact, floats];
        TimedLayer.RunInTurn(layers, rounds);

        string medians = string.Join(" | ", layers.Select(l => Invariant($"{l.Median:F3}")));
        string rates = string.Join(" | ", layers.Select(l => Invariant($"{shape.MultiplyAdds / l.Least / 1e6:F1}")));
        Console.WriteLine(
            string.Create(CultureInfo.InvariantCulture,
                $"| {shape.Name} | {medians} | {rates} | {integer.Least / full.Least:F2} | {integer.Least / part.Least:F2} | "
                    + $"{exact.Least / full.Least:F2} | {exact.Least / part.Least:F2} |"));
    }
}
