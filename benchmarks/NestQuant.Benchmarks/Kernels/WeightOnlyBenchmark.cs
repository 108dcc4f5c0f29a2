using NestQuant.RuntimeOps.Packing;
using static System.FormattableString;

namespace NestQuant.Benchmarks.Kernels;

/// <summary>
/// Single weight-only layers, full and part bit, against ONNX Runtime's float operator with the weights as constants. One process, one
/// thread, the three sessions of a layer in turn, round after round.
/// </summary>
internal static class WeightOnlyBenchmark
{
    private static readonly LayerShape[] Sentences =
    [
        new(1, 32, 384, 384, 1, IsProduct: true),
        new(1, 32, 384, 1536, 1, IsProduct: true),
        new(1, 32, 1536, 384, 1, IsProduct: true),
    ];

    /// <summary>Runs the benchmark and prints its table.</summary>
    /// <param name="filter">Part of the names of the layers to run; empty for all.</param>
    /// <param name="rounds">Counted rounds per layer.</param>
    public static void Run(string filter, int rounds)
    {
        Console.WriteLine(Invariant($"1 thread, {rounds} interleaved rounds; ms are medians, GMAC/s and ratios come from the least times"));
        Console.WriteLine("| layer | full ms | part ms | ORT fp32 ms | full GMAC/s | part | ORT fp32 | full : ORT | part : ORT |");
        Console.WriteLine("|" + string.Concat(Enumerable.Repeat(" --- |", 9)));
        foreach (LayerShape shape in LayerShape.All.Concat(Sentences).Where(s => s.Name.Contains(filter, StringComparison.Ordinal)))
            RunLayer(shape, rounds);
    }

    private static void RunLayer(LayerShape shape, int rounds)
    {
        LayerModels models = new(shape, new NestedBits(8, 6));
        using TimedLayer full = new(models.WeightOnly(bits: 8));
        using TimedLayer part = new(models.WeightOnly(bits: 6));
        using TimedLayer floats = new(models.Float());
        TimedLayer[] layers = [full, part, floats];
        TimedLayer.RunInTurn(layers, rounds);
        string medians = string.Join(" | ", layers.Select(l => Invariant($"{l.Median:F3}")));
        string rates = string.Join(" | ", layers.Select(l => Invariant($"{shape.MultiplyAdds / l.Least / 1e6:F1}")));
        Console.WriteLine(Invariant(
            $"| {shape.Name} | {medians} | {rates} | {full.Least / floats.Least:F2} | {part.Least / floats.Least:F2} |"));
    }
}
