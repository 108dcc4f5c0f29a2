namespace NestQuant.Passes.GroupNL.Expansion;

/// <summary>The channels, groups and kernel size of a 2-D convolution.</summary>
/// <param name="Outputs">Output channels.</param>
/// <param name="Inputs">Input channels, of all groups together.</param>
/// <param name="Groups">Groups, a divisor of both.</param>
/// <param name="Taps">Kernel height times kernel width.</param>
internal readonly record struct ConvShape(int Outputs, int Inputs, int Groups, int Taps)
{
    /// <summary>Input channels that one filter reads.</summary>
    public int GroupInputs => Inputs / Groups;

    /// <summary>Weights of one filter.</summary>
    public int FilterLength => GroupInputs * Taps;

    /// <summary>Weights in all; also the multiply-accumulates per output pixel.</summary>
    public long Weights => (long)Outputs * FilterLength;

    /// <summary>The seed convolution that keeps 1 / <paramref name="ratio"/> of the outputs.</summary>
    public ConvShape Seed(int ratio, bool sparse)
    {
        int seeds = Outputs / ratio;
        int groups = sparse || Groups > 1 ? (int)System.Numerics.BigInteger.GreatestCommonDivisor(Inputs, seeds) : 1;
        return this with { Outputs = seeds, Groups = groups };
    }
}
