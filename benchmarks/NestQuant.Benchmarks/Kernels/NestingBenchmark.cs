using BenchmarkDotNet.Attributes;
using NestQuant.Passes.Nesting;
using NestQuant.RuntimeOps.Packing;

namespace NestQuant.Benchmarks.Kernels;

/// <summary>One output channel, float32 to nested integers: a 3x3 convolution over 256 channels and a 1x1 over 2048.</summary>
public class NestingBenchmark
{
    private float[] _weights = [];
    private sbyte[] _levels = [];
    private ChannelNester? _nester;

    /// <summary>Taps of a kernel.</summary>
    [Params(1, 9)]
    public int Taps { get; set; }

    /// <summary>Rounding of both stages.</summary>
    [Params(WeightRounding.Adaptive, WeightRounding.Nearest)]
    public WeightRounding Rounding { get; set; }

    /// <summary>Draws the weights.</summary>
    [GlobalSetup]
    public void Setup()
    {
        var random = new Random(1);
        _weights = new float[Taps == 1 ? 2048 : 256 * Taps];
        for (int i = 0; i < _weights.Length; i++) _weights[i] = random.NextSingle() - random.NextSingle();
        _levels = new sbyte[2 * _weights.Length];
        _nester = new ChannelNester(
            new WeightQuantization(new NestedBits(8, 6), WeightScheme.Symmetric, Rounding, Rounding), _weights.Length);
    }

    /// <summary>Quantize, split and measure.</summary>
    [Benchmark]
    public double Nest() => _nester!.Nest(_weights, Taps, _levels).Noise[1];
}
