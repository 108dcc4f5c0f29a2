using NestQuant.RuntimeOps.Packing;

namespace NestQuant.Passes.Nesting;

/// <summary>A weight tensor as nested integers, not yet packed.</summary>
public sealed class NestedWeight
{
    private readonly NestedChannel[] _channels;

    internal NestedWeight(NestedBits bits, ChannelView view, sbyte[] high, sbyte[] low, NestedChannel[] channels)
    {
        Layout = new NestedLayout(bits, view);
        High = high;
        Low = low;
        _channels = channels;
    }

    /// <summary>Bit widths, shape and byte lengths of the packed operands.</summary>
    public NestedLayout Layout { get; }

    /// <summary>w_high, row-major in the operator's own layout.</summary>
    public sbyte[] High { get; }

    /// <summary>w_low, likewise.</summary>
    public sbyte[] Low { get; }

    /// <summary>ONNX scale of every output channel.</summary>
    public float[] Scales => Array.ConvertAll(_channels, static channel => channel.Scale);

    /// <summary>ONNX zero point of every output channel.</summary>
    public int[] ZeroPoints => Array.ConvertAll(_channels, static channel => channel.ZeroPoint);

    /// <summary>Signal to quantization-noise ratio of the full-bit weights in dB; infinite when they are exact.</summary>
    public double SqnrFullDb => Sqnr(static channel => channel.NoiseFull);

    /// <summary>The same of the part-bit weights.</summary>
    public double SqnrPartDb => Sqnr(static channel => channel.NoisePart);

    private double Sqnr(Func<NestedChannel, double> noise) => 10 * Math.Log10(_channels.Sum(static channel => channel.Signal) / _channels.Sum(noise));
}
