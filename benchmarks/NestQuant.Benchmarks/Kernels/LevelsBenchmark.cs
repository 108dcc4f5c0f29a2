using System.Diagnostics;
using System.Runtime.InteropServices;
using NestQuant.RuntimeOps.Kernels;
using NestQuant.RuntimeOps.Packing;
using static System.FormattableString;

namespace NestQuant.Benchmarks.Kernels;

/// <summary>
/// What more than two levels cost: the decoder alone, on blocks in the caches, and whole layers, each weight at each of its levels. The
/// ratios are to full precision of 8:6. All turns are taken one after the other, round after round.
/// </summary>
internal static unsafe class LevelsBenchmark
{
    // A panel of a 3x3 convolution over 128 channels, in the second-level cache with its values.
    private const int Blocks = 144;
    private const int DecodesPerTurn = 20;

    private static readonly NestedBits[] Weights = [new(8, 6), new(8, 6, 4, 3, 2), new(8, 7, 6, 5, 4, 3, 2), new(8, 4), new(8, 4, 2)];

    /// <summary>Runs the benchmark and prints its tables.</summary>
    /// <param name="rounds">Counted rounds.</param>
    public static void Run(int rounds)
    {
        Console.WriteLine(Invariant($"1 thread, {rounds} interleaved rounds, {KernelTier.Current.Name}; least times"));
        Console.WriteLine("| weight | level | decoder, values/ns | : 8:6 |");
        Console.WriteLine("| --- | --- | --- | --- |");
        Decoding[] decodings = [.. Weights.SelectMany(static bits => bits.Levels.Select(level => new Decoding(bits, level)))];
        for (int round = 0; round < rounds; round++)
            Array.ForEach(decodings, static decoding => decoding.Run());
        foreach (Decoding decoding in decodings)
            Console.WriteLine(Invariant(
                $"| {decoding.Bits} | {decoding.Level} | {Blocks * 256 / decoding.Least:F1} | {decoding.Least / decodings[0].Least:F2} |"));

        Console.WriteLine("\n| layer | weight | level | ms | : 8:6 |");
        Console.WriteLine("| --- | --- | --- | --- | --- |");
        foreach (LayerShape shape in LayerShape.All.Where(static s => s.Name is "conv 3x3 56x56 64-64" or "conv 1x1 14x14 1024-256" or "MatMul 1x4096x4096"))
            RunLayer(shape, rounds / 10);
    }

    private static void RunLayer(LayerShape shape, int rounds)
    {
        List<(NestedBits Bits, int Level, TimedLayer Layer)> layers = [];
        foreach (NestedBits bits in Weights)
        {
            LayerModels models = new(shape, bits);
            layers.AddRange(bits.Levels.Select(level => (bits, level, new TimedLayer(models.Nested(level)))));
        }

        for (int round = 0; round < rounds; round++)
            layers.ForEach(static entry => entry.Layer.Run(3));
        foreach ((NestedBits bits, int level, TimedLayer layer) in layers)
        {
            Console.WriteLine(
                Invariant($"| {shape.Name} | {bits} | {level} | {layer.Least:F3} | {layer.Least / layers[0].Layer.Least:F2} |"));
            layer.Dispose();
        }
    }

    /// <summary>One level of random operands, and the least time in ns in which it was decoded.</summary>
    private sealed class Decoding
    {
        private readonly LevelOperands _operands;
        private readonly nint _values = (nint)NativeMemory.AlignedAlloc(Blocks * 256, 64);

        public Decoding(NestedBits bits, int level)
        {
            nint[] operands = new nint[bits.Count];
            for (int step = 0; step < operands.Length; step++)
            {
                int length = Blocks * 32 * bits.WidthOfStep(step);
                operands[step] = (nint)NativeMemory.AlignedAlloc((nuint)length, 64);
                new Random(step).NextBytes(new Span<byte>((void*)operands[step], length));
            }

            _operands = new LevelOperands(bits, level, operands);
        }

        public NestedBits Bits => _operands.Bits;

        public int Level => _operands.Level;

        public double Least { get; private set; } = double.PositiveInfinity;

        public void Run()
        {
            long start = Stopwatch.GetTimestamp();
            for (int i = 0; i < DecodesPerTurn; i++)
                KernelTier.Current.DecodeBlocks(_operands, Blocks, (sbyte*)_values);
            Least = Math.Min(Least, Stopwatch.GetElapsedTime(start).TotalNanoseconds / DecodesPerTurn);
        }
    }
}
