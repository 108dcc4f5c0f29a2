using NestQuant.RuntimeOps.Packing;

namespace NestQuant.Passes.Nesting;

/// <summary>A weight tensor as nested integers, not yet packed.</summary>
internal sealed class NestedWeight
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

    /// <summary>What is lost of channels that integers and a float32 scale cannot represent; null where all are represented.</summary>
    public string? Loss
    {
        get
        {
            int overflown = _channels.Count(static channel => !double.IsFinite(channel.NoiseFull) || !double.IsFinite(channel.NoisePart));
            int lost = _channels.Count(static channel => channel.Signal > 0 && channel.NoiseFull >= channel.Signal);
            if (overflown > 0) return $"{Of(overflown)} are so large that they overflow float32 when they are dequantized";
            return lost == 0 ? null : $"{Of(lost)} are so small that they round to zero at {Layout.Bits.Full} bits";

            string Of(int channels) => $"the weights of {channels} of {_channels.Length} output channels";
        }
    }

    private double Sqnr(Func<NestedChannel, double> noise) =>
        10 * Math.Log10(_channels.Sum(static channel => channel.Signal) / _channels.Sum(noise));
}
