namespace NestQuant.Compiler.Reports;

/// <summary>The weights that a compiled model still holds in float: constants with more than one axis.</summary>
/// <param name="AllBytes">Bytes of all weights of the source model, those that are nested included.</param>
/// <param name="Groups">Those in float by the reason, most bytes first.</param>
public sealed record FloatWeights(long AllBytes, IReadOnlyList<FloatWeightGroup> Groups)
{
    /// <summary>Bytes of the weights in float.</summary>
    public long Bytes => Groups.Sum(static group => group.Bytes);

    /// <summary>Their share of all bytes, 0 to 1.</summary>
    public double Share => AllBytes == 0 ? 0 : (double)Bytes / AllBytes;
}

/// <summary>Weights that stay float for one reason.</summary>
/// <param name="Reason">Why, or what reads them.</param>
/// <param name="Tensors">How many.</param>
/// <param name="Bytes">Their bytes.</param>
public sealed record FloatWeightGroup(string Reason, int Tensors, long Bytes);
