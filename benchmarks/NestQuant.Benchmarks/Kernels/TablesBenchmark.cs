using System.Diagnostics;
using System.Globalization;
using Microsoft.ML.OnnxRuntime;
using NestQuant.Onnx;
using NestQuant.Onnx.Files;
using NestQuant.Passes;
using NestQuant.RuntimeOps;
using NestQuant.RuntimeOps.Packing;
using static System.FormattableString;

namespace NestQuant.Benchmarks.Kernels;

/// <summary>
/// Rows of a table as large as that of a sentence encoder, and of one that fits in the first-level cache: NestedGather at both precisions
/// against ONNX Runtime's Gather on the float table, for a few rows again and again, and for others in every run. One process, one thread,
/// in turn, round after round.
/// </summary>
internal static class TablesBenchmark
{
    private const int Length = 384, Indices = 32, WarmUpRounds = 5000;

    private static readonly int[] Tables = [64, 30522];

    private static readonly string[] InputNames = ["i"], OutputNames = ["y"];

    /// <summary>Runs the benchmark and prints its table.</summary>
    /// <param name="rounds">Counted rounds.</param>
    public static void Run(int rounds)
    {
        Console.WriteLine(
            Invariant($"1 thread, {rounds} interleaved rounds, {Indices} rows of {Length} values a run; medians, ns per row"));
        Console.WriteLine("| rows | full | part | ORT float |\n| --- | --- | --- | --- |");
        foreach (int rows in Tables)
            RunTable(rows, rounds);
    }

    private static void RunTable(int rows, int rounds)
    {
        ModelProto model = Model(rows);
        CompilerOptions options = new() { Weights = new() { Bits = new NestedBits(8, 6) } };
        byte[] nested = ModelFile.ToBytes(NestQuantCompiler.Compile(model, options).Model);
        using InferenceSession full = Open(nested, 8), part = Open(nested, 6), floats = Open(ModelFile.ToBytes(model), 8);
        InferenceSession[] sessions = [full, part, floats];
        Print(rows, "the same", sessions, rounds, static _ => new Random(1));
        Print(rows, "others", sessions, rounds, static round => new Random(round));
    }

    private static void Print(int rows, string title, InferenceSession[] sessions, int rounds, Func<int, Random> random)
    {
        List<double>[] nanoseconds = [.. sessions.Select(static _ => new List<double>())];
        using RunOptions runOptions = new();
        using OrtValue y = OrtValue.CreateTensorValueFromMemory(new float[Indices * Length], [Indices, Length]);
        for (int round = -WarmUpRounds; round < rounds; round++)
        {
            for (int session = 0; session < sessions.Length; session++)
            {
                Random drawn = random(Math.Abs(round) * sessions.Length + session);
                using OrtValue i = OrtValue.CreateTensorValueFromMemory(
                    Enumerable.Range(0, Indices).Select(_ => (long)drawn.Next(rows)).ToArray(), [Indices]);
                long start = Stopwatch.GetTimestamp();
                sessions[session].Run(runOptions, InputNames, [i], OutputNames, [y]);
                if (round >= 0)
                    nanoseconds[session].Add(Stopwatch.GetElapsedTime(start).TotalNanoseconds / Indices);
            }
        }

        string medians = string.Join(" | ", nanoseconds.Select(static of => Invariant($"{Statistics.Median(of):F0}")));
        Console.WriteLine(Invariant($"| {Indices} of {rows}, {title} | {medians} |"));
    }

    private static ModelProto Model(int rows)
    {
        Random random = new(3);
        float[] table = [.. Enumerable.Range(0, rows * Length).Select(_ => random.NextSingle() - 0.5f)];
        GraphProto graph = new() { Name = "table" };
        graph.Initializer.Add(TensorProto.FromFloats("W", [rows, Length], table));
        NodeProto gather = new() { OpType = "Gather", Name = "rows" };
        gather.Input.AddRange(["W", "i"]);
        gather.Output.Add("y");
        graph.Node.Add(gather);
        TensorShapeProto shape = new();
        shape.Dim.Add(new TensorShapeProto.Dimension { DimValue = Indices });
        graph.Input.Add(Value("i", new TypeProto.Tensor { ElemType = TensorDataType.Int64, Shape = shape }));
        graph.Output.Add(Value("y", new TypeProto.Tensor { ElemType = TensorDataType.Float }));
        ModelProto model = new() { IrVersion = 8, Graph = graph, ProducerName = "NestQuant.Benchmarks" };
        model.OpsetImport.Add(new OperatorSetIdProto { Domain = "", Version = 17 });
        return model;
    }

    private static InferenceSession Open(byte[] model, int bits)
    {
        using SessionOptions options = new SessionOptions { IntraOpNumThreads = 1, InterOpNumThreads = 1 }.RegisterNestQuantOps();
        options.AddSessionConfigEntry(NestQuantOps.BitsConfigEntry, bits.ToString(CultureInfo.InvariantCulture));
        return new InferenceSession(model, options);
    }

    private static ValueInfoProto Value(string name, TypeProto.Tensor type) =>
        new() { Name = name, Type = new TypeProto { TensorType = type } };
}
