using BenchmarkDotNet.Running;
using NestQuant.Benchmarks.CompileSpeed;
using NestQuant.Benchmarks.GroupNL;
using NestQuant.Benchmarks.Kernels;

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
    default:
        Console.Error.WriteLine("usage: compile-speed NESTQUANT.DLL [PYTHON] | kernels [BenchmarkDotNet options] | groupnl | layers [PART OF A NAME]");
        return 2;
}
