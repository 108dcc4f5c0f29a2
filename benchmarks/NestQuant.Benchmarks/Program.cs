using System.Globalization;
using BenchmarkDotNet.Running;
using NestQuant.Benchmarks.CompileSpeed;
using NestQuant.Benchmarks.GroupNL;
using NestQuant.Benchmarks.Kernels;
using NestQuant.Benchmarks.Models;
using NestQuant.Benchmarks.Switching;
using NestQuant.Benchmarks.WholeModels;
using NestQuant.Onnx;
using NestQuant.Onnx.Files;

switch (args)
{
    case ["compile-speed", var nestquant, ..]:
        CompileSpeedBenchmark.Run(nestquant, args.Length > 2 ? args[2] : "/usr/bin/python3", runs: 5);
        return 0;
    case ["kernels", ..]:
        BenchmarkSwitcher.FromAssembly(typeof(CompileSpeedBenchmark).Assembly).Run(args[1..]);
        return 0;
    case ["groupnl", ..]:
        GroupNLBenchmark.Run(rounds: 100);
        return 0;
    case ["layers", ..]:
        LayersBenchmark.Run(filter: args.Length > 1 ? args[1] : "", rounds: 50);
        return 0;
    case ["levels", ..]:
        LevelsBenchmark.Run(filter: args.Length > 1 ? args[1] : "", rounds: 50);
        return 0;
    case ["weight-only", ..]:
        WeightOnlyBenchmark.Run(filter: args.Length > 1 ? args[1] : "", rounds: 50);
        return 0;
    case ["peaks", ..]:
        PeaksBenchmark.Run(rounds: 300);
        return 0;
    case ["tables", ..]:
        TablesBenchmark.Run(rounds: 2000);
        return 0;
    case ["models", var folder]:
        Directory.CreateDirectory(folder);
        foreach ((string name, Func<ModelProto> create) in ModelZoo.All)
            ModelFile.Save(create(), Path.Combine(folder, name + ".onnx"));
        return 0;
    case ["whole-models", var nestquant, .. var models]:
        WholeModelBenchmark.Run(nestquant, models);
        return 0;
    case ["scaling", var nestquant, .. var models]:
        ScalingBenchmark.Run(nestquant, models);
        return 0;
    case ["trained-models", var nestquant, var folder, ..]:
        TrainedModelBenchmark.Run(nestquant, folder, filter: args.Length > 3 ? args[3] : "");
        return 0;
    case ["switch", var model, .. var exports]:
        SwitchBenchmark.Run(model, exports, rounds: 200);
        return 0;
    case ["soak", var model, ..]:
        return SoakBenchmark.Run(model, runs: args.Length > 2 ? int.Parse(args[2], CultureInfo.InvariantCulture) : 100_000) ? 0 : 1;
    case ["day", var model, var chart]:
        DayBenchmark.Run(model, chart);
        return 0;
    case ["start", var model, .. var warm]:
        StartBenchmark.Run(model, isWarm: warm is ["warm"]);
        return 0;
    case [StartBenchmark.Once, var model, var input, var shape, var isWarm]:
        StartBenchmark.RunOnce(model, input, shape, bool.Parse(isWarm));
        return 0;
    case ["hosts", var host, var nestquant, .. var models]:
        HostBenchmark.Run(host, nestquant, models);
        return 0;
    default:
        Console.Error.WriteLine(
            "usage: compile-speed NESTQUANT.DLL [PYTHON] | kernels [BenchmarkDotNet options] | groupnl | layers [PART OF A NAME] | "
                + "levels [PART OF A NAME] | weight-only [PART OF A NAME] | peaks | tables | models FOLDER | "
                + "whole-models NESTQUANT.DLL [MODEL...] | scaling NESTQUANT.DLL MODEL... | "
                + "trained-models NESTQUANT.DLL FOLDER [PART OF A NAME] | "
                + "switch COMPILED [EXPORT...] | soak COMPILED [RUNS] | day COMPILED CHART.svg | "
                + "start COMPILED [warm] | hosts HOST NESTQUANT.DLL MODEL...");
        return 2;
}
