using System.Diagnostics;
using Microsoft.ML.OnnxRuntime;
using NestQuant.Onnx;
using NestQuant.Onnx.Files;
using NestQuant.RuntimeOps;
using static System.FormattableString;

namespace NestQuant.Benchmarks.GroupNL;

/// <summary>
/// Latency of one GroupNL layer in all its forms: sessions of one thread in one process, run in turn, round after round, so that what
/// else the machine does falls on all alike. In a round a form runs a few times; the first, which finds the caches as the form before
/// left them, does not count. Medians over the rounds, and medians of the ratios within a round.
/// </summary>
internal static class GroupNLBenchmark
{
    private const int WarmUpRounds = 20;
    private const int RunsPerRound = 5;

    /// <summary>Runs the benchmark and prints its tables.</summary>
    /// <param name="rounds">Counted rounds.</param>
    public static void Run(int rounds)
    {
        Form[] forms =
        [
            new("convolution to 64 maps", GroupNLModels.Convolution(GroupNLModels.Channels)),
            new("seed convolution to 32 maps", GroupNLModels.Convolution(GroupNLModels.Seeds)),
            new("seed convolution + GroupNLExpand", GroupNLModels.Fused(hasConvolution: true)),
            new("seed convolution + unfused pattern", GroupNLModels.Unfused(hasConvolution: true)),
            new("GroupNLExpand alone", GroupNLModels.Fused(hasConvolution: false)),
            new("unfused pattern alone", GroupNLModels.Unfused(hasConvolution: false)),
            new("seed NestedConv, full", GroupNLModels.Nested(isExpanded: false, bits: 8)),
            new("NestedGroupNLConv, full", GroupNLModels.Nested(isExpanded: true, bits: 8)),
            new("seed NestedConv, part", GroupNLModels.Nested(isExpanded: false, bits: 6)),
            new("NestedGroupNLConv, part", GroupNLModels.Nested(isExpanded: true, bits: 6)),
        ];
        try
        {
            for (int round = -WarmUpRounds; round < rounds; round++)
            {
                foreach (Form form in forms)
                    form.RunRound(isCounted: round >= 0);
            }

            Console.WriteLine(
                Invariant($"3x3 over 1x64x56x56, 32 seeds, r = 2; 1 thread, {rounds} interleaved rounds of {RunsPerRound} runs"));
            Console.WriteLine("| form | median ms | least ms |");
            Console.WriteLine("| --- | --- | --- |");
            foreach (Form form in forms)
                Console.WriteLine(Invariant($"| {form.Name} | {Statistics.Median(form.Milliseconds):F3} | {form.Milliseconds.Min():F3} |"));
            Console.WriteLine();
            Print("(seed convolution + GroupNLExpand) / seed convolution", Ratios(forms[2], forms[1]));
            Print("(seed convolution + unfused pattern) / seed convolution", Ratios(forms[3], forms[1]));
            Print("unfused pattern alone / GroupNLExpand alone", Ratios(forms[5], forms[4]));
            Print("NestedGroupNLConv / seed NestedConv, full", Ratios(forms[7], forms[6]));
            Print("NestedGroupNLConv / seed NestedConv, part", Ratios(forms[9], forms[8]));
        }
        finally
        {
            foreach (Form form in forms)
                form.Dispose();
        }
    }

    private static IEnumerable<double> Ratios(Form over, Form under) =>
        over.Milliseconds.Zip(under.Milliseconds, static (a, b) => a / b);

    private static void Print(string name, IEnumerable<double> ratios) =>
        Console.WriteLine(Invariant($"{name}: {Statistics.Median(ratios):F3}"));

    private sealed class Form : IDisposable
    {
        private static readonly string[] InputNames = ["X"], OutputNames = ["Y"];

        private readonly RunOptions _runOptions = new();
        private readonly InferenceSession _session;
        private readonly OrtValue[] _inputs;
        private readonly OrtValue[] _outputs;

        public Form(string name, ModelProto model)
        {
            Name = name;
            using SessionOptions options = new SessionOptions { IntraOpNumThreads = 1, InterOpNumThreads = 1 }.RegisterNestQuantOps();
            _session = new InferenceSession(ModelFile.ToBytes(model), options);
            NodeMetadata x = _session.InputMetadata["X"];
            long[] shape = [.. x.Dimensions.Select(static d => (long)d)];
            int count = (int)shape.Aggregate(1L, static (product, d) => product * d);
            Random random = new(7);
            if (x.ElementType == typeof(byte))
            {
                byte[] values = new byte[count];
                random.NextBytes(values);
                _inputs = [OrtValue.CreateTensorValueFromMemory(values, shape)];
            }
            else
            {
                float[] values = [.. Enumerable.Range(0, count).Select(_ => random.NextSingle() * 2 - 1)];
                _inputs = [OrtValue.CreateTensorValueFromMemory(values, shape)];
            }

            using IDisposableReadOnlyCollection<OrtValue> first = _session.Run(_runOptions, InputNames, _inputs, OutputNames);
            long[] outputShape = first[0].GetTensorTypeAndShape().Shape;
            float[] output = new float[outputShape.Aggregate(1L, static (product, d) => product * d)];
            _outputs = [OrtValue.CreateTensorValueFromMemory(output, outputShape)];
        }

        public string Name { get; }

        public List<double> Milliseconds { get; } = [];

        public void RunRound(bool isCounted)
        {
            double[] elapsed = new double[RunsPerRound];
            for (int run = 0; run <= RunsPerRound; run++)
            {
                long start = Stopwatch.GetTimestamp();
                _session.Run(_runOptions, InputNames, _inputs, OutputNames, _outputs);
                if (run > 0)
                    elapsed[run - 1] = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
            }

            if (isCounted)
                Milliseconds.Add(Statistics.Median(elapsed));
        }

        public void Dispose()
        {
            foreach (OrtValue value in (OrtValue[])[.. _inputs, .. _outputs])
                value.Dispose();
            _session.Dispose();
            _runOptions.Dispose();
        }
    }
}
