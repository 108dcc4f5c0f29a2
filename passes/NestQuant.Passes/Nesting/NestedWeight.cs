using System.Numerics.Tensors;
using NestQuant.Onnx;
using NestQuant.RuntimeOps.Packing;

namespace NestQuant.Passes.Nesting;

/// <summary>A weight tensor as nested integers, not yet packed.</summary>
internal sealed class NestedWeight
{
    private readonly NestedChannel[] _channels;

    /// <summary>Creates a weight.</summary>
    /// <param name="bits">The levels.</param>
    /// <param name="view">The layout of the integers.</param>
    /// <param name="full">w_int, row-major in the operator's own layout.</param>
    /// <param name="below">The integers of every level below full precision, in descending order, likewise.</param>
    /// <param name="channels">Scale, zero point and errors of every output channel.</param>
    /// <param name="partScales">
    /// A scale for every level below full precision, in descending order, and output channel; null where the channel's is that of all.
    /// </param>
    internal NestedWeight(
        NestedBits bits,
        ChannelView view,
        sbyte[] full,
        IReadOnlyList<sbyte[]> below,
        NestedChannel[] channels,
        float[]? partScales = null)
    {
        int parts = bits.Count - 1;
        if (below.Count != parts || (partScales is not null && partScales.Length != parts * view.OutputChannels))
            throw new ArgumentException($"{below.Count} levels or {partScales?.Length} scales below full precision do not fit {bits}");
        Bits = bits;
        View = view;
        Levels = [full, .. below];
        PartScales = partScales;
        _channels = channels;
    }

    /// <summary>The levels.</summary>
    public NestedBits Bits { get; }

    /// <summary>The layout of the integers.</summary>
    public ChannelView View { get; }

    /// <summary>The integers of every level, full precision first, row-major in the operator's own layout.</summary>
    public IReadOnlyList<sbyte[]> Levels { get; }

    /// <summary>ONNX scale of every output channel.</summary>
    public float[] Scales => Array.ConvertAll(_channels, static channel => channel.Scale);

    /// <summary>ONNX zero point of every output channel.</summary>
    public int[] ZeroPoints => Array.ConvertAll(_channels, static channel => channel.ZeroPoint);

    /// <summary>Scales below full precision, [levels - 1, M]; null where <see cref="Scales"/> are those of all levels.</summary>
    public float[]? PartScales { get; }

    /// <summary>What is lost of channels that integers and a float32 scale cannot represent; null where all are represented.</summary>
    public string? Loss
    {
        get
        {
            int overflown = _channels.Count(static channel => !channel.Noise.All(double.IsFinite));
            int lost = _channels.Count(static channel => channel.Signal > 0 && channel.Noise[0] >= channel.Signal);
            if (overflown > 0) return $"{Of(overflown)} are so large that they overflow float32 when they are dequantized";
            return lost == 0 ? null : $"{Of(lost)} are so small that they round to zero at {Bits.Full} bits";

            string Of(int channels) => $"the weights of {channels} of {_channels.Length} output channels";
        }
    }

    /// <summary>Signal to quantization-noise ratio of a level in dB; infinite where it is exact.</summary>
    /// <param name="level">Position among <see cref="Levels"/>.</param>
    public double SqnrDb(int level) =>
        10 * Math.Log10(_channels.Sum(static channel => channel.Signal) / _channels.Sum(channel => channel.Noise[level]));

    /// <summary>The low operand of the step that leads to a level: what its integers are beyond those of the next lower one.</summary>
    /// <param name="level">Position among <see cref="Levels"/>, not the last.</param>
    public sbyte[] Low(int level)
    {
        var low = new sbyte[View.Count];
        int shift = Bits.Levels[level] - Bits.Levels[level + 1];
        TensorPrimitives.Multiply(Levels[level + 1], unchecked((sbyte)(1 << shift)), low);
        TensorPrimitives.Subtract(Levels[level], low, low);
        return low;
    }

    /// <summary>The float weight that operators use at full precision, row-major in the operator's own layout.</summary>
    public float[] Decoded()
    {
        var values = new float[View.Count];
        for (int i = 0; i < values.Length; i++)
        {
            NestedChannel channel = _channels[View.OutputChannelOfRow(i / View.Taps)];
            values[i] = (Levels[0][i] - channel.ZeroPoint) * channel.Scale;
        }

        return values;
    }

    /// <summary>The same weight with other integers.</summary>
    /// <param name="tensor">The weight.</param>
    /// <param name="levels">The integers of every level, full precision first.</param>
    /// <param name="partScales">As for the constructor.</param>
    /// <param name="parallel">Degree of parallelism and cancellation.</param>
    public NestedWeight WithLevels(TensorProto tensor, IReadOnlyList<sbyte[]> levels, float[]? partScales, ParallelOptions parallel)
    {
        NestedChannel[] channels = WeightNester.Measure(tensor, View, Bits, levels, _channels, partScales, parallel);
        return new NestedWeight(Bits, View, levels[0], [.. levels.Skip(1)], channels, partScales);
    }
}
