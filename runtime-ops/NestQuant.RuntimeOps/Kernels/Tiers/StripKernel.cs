using NestQuant.RuntimeOps.Kernels.Convolutions.Strips;

namespace NestQuant.RuntimeOps.Kernels.Tiers;

/// <summary>The inner loops of <see cref="StripConvolution"/> for one instruction set.</summary>
/// <remarks>
/// Most kernels multiply unsigned by signed bytes and read strips and weights as bytes in the order <c>[channel 32][line 4]</c>. A kernel
/// may have another form of both, of the same number of values.
/// </remarks>
internal abstract unsafe class StripKernel
{
    /// <summary>Input lines whose values lie side by side.</summary>
    public const int GroupLines = 4;

    /// <summary>Values of a column of a group: those of all channels and lines.</summary>
    public const int ColumnValues = GroupLines * KernelTier.TileChannels;

    /// <summary>Alignment of strips and weights.</summary>
    public const int Alignment = 64;

    /// <summary>Bytes of a value of a strip and of a weight.</summary>
    public virtual int ValueBytes => sizeof(byte);

    /// <summary>Bytes of a column of a group.</summary>
    public int ColumnBytes => ColumnValues * ValueBytes;

    /// <summary>Fills columns of a strip.</summary>
    /// <param name="strip">The first column.</param>
    /// <param name="columns">How many.</param>
    /// <param name="value">The value of all channels and lines, 0 to 255.</param>
    public virtual void Pad(byte* strip, int columns, byte value) => new Span<byte>(strip, columns * ColumnValues).Fill(value);

    /// <summary>Converts weights to the form that <see cref="Run"/> reads, in place; most kernels read them as they are.</summary>
    /// <param name="weights">
    /// The weights <c>[tap][channel 32][line 4]</c>, in bytes, at the start of <see cref="ColumnBytes"/> bytes per tap.
    /// </param>
    /// <param name="taps">Taps of 4 lines.</param>
    public virtual void PrepareWeights(sbyte* weights, int taps)
    {
    }

    /// <summary>Computes outputs, epilogue included.</summary>
    /// <param name="arguments">What to compute; undefined afterwards.</param>
    /// <param name="linesPerStep">1, or 2 where a step's outputs share the groups of input lines.</param>
    public abstract void Run(StripArguments* arguments, int linesPerStep);
}
