using System.Diagnostics;
using System.Runtime.InteropServices;
using NestQuant.RuntimeOps.Kernels;
using NestQuant.RuntimeOps.Kernels.Tiers;
using NestQuant.RuntimeOps.Packing;
using static System.FormattableString;

namespace NestQuant.Benchmarks.Kernels;

/// <summary>
/// What levels cost: decoding alone and whole layers, at every level of weights of two and of more levels, and each time as a multiple of
/// that of the same layer with 8:6 at full precision. One thread, in turn, round after round; the least times count.
/// </summary>
internal static unsafe class LevelsBenchmark
{
    private const int Blocks = 72, CallsPerRound = 50, RunsPerTurn = 3;

    private static readonly NestedBits[] Weights =
        [new(8, 6), new(8, 4), new(8, 6, 4), new(8, 6, 4, 2), new(8, 6, 4, 3, 2), new(8, 7, 6, 5, 4, 3, 2)];

    private static readonly string[] Layers = ["conv 3x3 56x56 64-64", "conv 3x3 7x7 512-512", "MatMul 1x4096x4096"];

    /// <summary>Runs the benchmark and prints its tables.</summary>
    /// <param name="filter">Part of the names of the layers to run; empty for all.</param>
    /// <param name="rounds">Counted rounds.</param>
    public static void Run(string filter, int rounds)
    {
        Console.WriteLine(Invariant($"1 thread, {rounds} interleaved rounds, least times"));
        string decoding = Invariant($"decoding {Blocks} blocks");
        if (decoding.Contains(filter, StringComparison.Ordinal))
            Print(decoding, rounds, static (bits, level) => new Decoding(bits, level));
        string[] layers = [.. Layers.Where(name => name.Contains(filter, StringComparison.Ordinal))];
        foreach (LayerShape shape in LayerShape.All.Where(shape => layers.Contains(shape.Name)))
            Print(shape.Name, rounds, (bits, level) => new Layer(new TimedLayer(new LayerModels(shape, bits).Nested(level))));
    }

    private static void Print(string title, int rounds, Func<NestedBits, int, Subject> create)
    {
        (NestedBits Bits, int Level, Subject Subject)[] subjects =
            [.. from bits in Weights from level in bits.Levels select (bits, level, create(bits, level))];
        for (int round = 0; round < rounds; round++)
        {
            foreach ((_, _, Subject subject) in subjects)
                subject.Run();
        }

        Console.WriteLine();
        Console.WriteLine(Invariant($"| {title} | bits | microseconds | of 8:6 full |"));
        Console.WriteLine("| --- | --- | --- | --- |");
        foreach ((NestedBits bits, int level, Subject subject) in subjects)
        {
            double time = subject.Least;
            Console.WriteLine(Invariant($"| {bits} | {level} | {time:F2} | {time / subjects[0].Subject.Least:F2} |"));
            subject.Dispose();
        }
    }

    private abstract class Subject : IDisposable
    {
        /// <summary>Microseconds of the fastest run.</summary>
        public abstract double Least { get; }

        public abstract void Run();

        public abstract void Dispose();
    }

    private sealed class Layer(TimedLayer layer) : Subject
    {
        public override double Least => layer.Least * 1e3;

        public override void Run() => layer.Run(RunsPerTurn);

        public override void Dispose() => layer.Dispose();
    }

    /// <summary>Decodes the same blocks, which stay in the caches.</summary>
    private sealed class Decoding : Subject
    {
        private readonly KernelTier _tier = TierSelection.Current;
        private readonly LevelOperands _operands;
        private readonly sbyte* _values = (sbyte*)NativeMemory.AlignedAlloc(Blocks * NestedLayout.BlockValues, 64);
        private readonly nint[] _memory;
        private long _least = long.MaxValue;

        public Decoding(NestedBits bits, int level)
        {
            _memory = new nint[bits.Count];
            for (int step = 0; step < bits.Count; step++)
            {
                int length = Blocks * NestedLayout.PanelChannels * bits.WidthOfStep(step);
                _memory[step] = (nint)NativeMemory.AlignedAlloc((nuint)length, 64);
                new Random(step).NextBytes(new Span<byte>((void*)_memory[step], length));
            }

            _operands = new LevelOperands(bits, level, _memory);
        }

        public override double Least => Stopwatch.GetElapsedTime(0, _least).TotalMicroseconds / CallsPerRound;

        public override void Run()
        {
            long start = Stopwatch.GetTimestamp();
            for (int call = 0; call < CallsPerRound; call++)
                _tier.DecodeBlocks(_operands, Blocks, _values);
            _least = Math.Min(_least, Stopwatch.GetTimestamp() - start);
        }

        public override void Dispose()
        {
            foreach (nint memory in _memory)
                NativeMemory.AlignedFree((void*)memory);
            NativeMemory.AlignedFree(_values);
        }
    }
}
