using NestQuant.RuntimeOps.Kernels.Tiers;

namespace NestQuant.RuntimeOps.Kernels.Convolutions.Strips;

/// <summary>The arrangement of a kernel's taps in groups of 4 input lines.</summary>
internal readonly record struct StripShape
{
    private readonly int _kernelHeight;
    private readonly int _kernelWidth;

    /// <summary>Describes the kernel of a convolution.</summary>
    public StripShape(ConvolutionGeometry geometry)
    {
        _kernelHeight = geometry.Height.Kernel;
        _kernelWidth = geometry.Width.Kernel;
        Groups = (_kernelHeight + StripKernel.GroupLines - 1) / StripKernel.GroupLines;

        // The second line's taps are one line further down; the groups have room for that unless the kernel uses their last line.
        LinesPerStep = geometry.Height is { Stride: 1, Dilation: 1, Output: > 1 } && _kernelHeight % StripKernel.GroupLines != 0 ? 2 : 1;
    }

    /// <summary>Groups of input lines under an output.</summary>
    public int Groups { get; }

    /// <summary>Taps of 4 lines.</summary>
    public int Taps => Groups * _kernelWidth;

    /// <summary>Output lines that share their groups of input lines: 1 or 2.</summary>
    public int LinesPerStep { get; }

    /// <summary>Weights of one output line of a step, <c>[tap][channel 32][line 4]</c>.</summary>
    public int LineWeights => Taps * StripKernel.ColumnValues;

    /// <summary>The kernel's tap whose weight is at a position, for a step's first output line; negative for weight 0.</summary>
    /// <param name="tap">Tap of 4 lines.</param>
    /// <param name="line">Line of the four.</param>
    public int KernelTap(int tap, int line)
    {
        int group = tap / _kernelWidth;
        int y = group * StripKernel.GroupLines + line;
        return y < _kernelHeight ? tap + (y - group) * _kernelWidth : -1;
    }
}
