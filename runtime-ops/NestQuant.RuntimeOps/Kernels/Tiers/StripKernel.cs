using NestQuant.RuntimeOps.Kernels.Convolutions.Strips;

namespace NestQuant.RuntimeOps.Kernels.Tiers;

/// <summary>The inner loops of <see cref="StripConvolution"/> for one instruction set that multiplies unsigned by signed bytes.</summary>
internal abstract unsafe class StripKernel
{
    /// <summary>Input lines whose bytes lie side by side.</summary>
    public const int GroupLines = 4;

    /// <summary>Bytes of a column of a group.</summary>
    public const int ColumnBytes = GroupLines * KernelTier.TileChannels;

    /// <summary>Alignment of strips and weights.</summary>
    public const int Alignment = 64;

    /// <summary>Computes outputs, epilogue included.</summary>
    /// <param name="arguments">What to compute; undefined afterwards.</param>
    /// <param name="linesPerStep">1, or 2 where a step's outputs share the groups of input lines.</param>
    public abstract void Run(StripArguments* arguments, int linesPerStep);
}
