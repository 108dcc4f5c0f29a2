using System.Diagnostics;
using System.Runtime.InteropServices;
using NestQuant.RuntimeOps.Kernels;
using NestQuant.RuntimeOps.Kernels.Tiers;
using static System.FormattableString;

namespace NestQuant.Benchmarks.Kernels;

/// <summary>
/// What the processor multiplies at most, by the emitted products themselves: one tile of rows and a panel that stay in the innermost
/// cache. A layer's rate divided by its tier's peak says how much of the processor it uses.
/// </summary>
internal static unsafe class PeaksBenchmark
{
    private const int Groups = 128;
    private const int CallsPerRound = 500;
    private static readonly string[] Tiers = ["avx512vnni", "amx"];

    /// <summary>Runs the benchmark and prints its table.</summary>
    /// <param name="rounds">Rounds per tier; the best one counts.</param>
    public static void Run(int rounds)
    {
        Console.WriteLine("| tier | peak GMAC/s |");
        Console.WriteLine("| --- | --- |");
        foreach (string name in Tiers)
        {
            try
            {
                Console.WriteLine(Invariant($"| {name} | {Measure(TierSelection.Select(name), rounds):F0} |"));
            }
            catch (PlatformNotSupportedException refusal)
            {
                Console.WriteLine($"| {name} | {refusal.Message} |");
            }
        }
    }

    private static double Measure(KernelTier tier, int rounds)
    {
        TileProduct product = tier.TileProduct(rows: int.MaxValue, reductionLength: Groups * 4)
            ?? throw new PlatformNotSupportedException("the tier gathers its rows");
        int rows = product.MostRows, chunkGroups = Math.Min(Groups, product.MostChunkBytes / 4);
        byte* memory = (byte*)NativeMemory.AlignedAlloc((nuint)(rows * Groups * 4 + Groups * 128 + rows * 128 + 128), 64);
        nint[] chunks = [.. Enumerable.Range(0, Groups / chunkGroups).Select(chunk => (nint)(chunk * chunkGroups * 4))];
        double best = 0;
        fixed (nint* starts = chunks)
        {
            // In bounds: rows, panel, tile and start follow each other in the memory.
            byte* panel = memory + rows * Groups * 4;
            TileArguments arguments = new()
            {
                Rows = memory,
                RowStride = Groups * 4,
                Chunks = starts,
                EndOfChunks = starts + chunks.Length,
                ChunkGroups = chunkGroups,
                Panel = (sbyte*)panel,
                Tile = (int*)(panel + Groups * 128),
                Start = (int*)(panel + Groups * 128 + rows * 128),
            };
            product.Begin(rows, chunkGroups);
            for (int round = 0; round < rounds; round++)
            {
                long start = Stopwatch.GetTimestamp();
                for (int call = 0; call < CallsPerRound; call++)
                    product.Multiply(&arguments, rows, vectors: 2);
                double products = (double)CallsPerRound * rows * Groups * 4 * KernelTier.TileChannels;
                best = Math.Max(best, products / Stopwatch.GetElapsedTime(start).TotalSeconds / 1e9);
            }

            product.End();
        }

        NativeMemory.AlignedFree(memory);
        return best;
    }
}
