using System.Runtime.CompilerServices;

namespace NestQuant.RuntimeOps.Packing;

/// <summary>Where the operands of a weight lie that one of its levels needs, those of a whole weight or from one of its rows on.</summary>
internal unsafe struct LevelOperands
{
    private Addresses _addresses;

    /// <summary>Describes the operands of a level.</summary>
    /// <param name="bits">The weight's levels.</param>
    /// <param name="level">Bits of the level.</param>
    /// <param name="addresses">The operands in the order of their steps, the high one first; more than the level needs are ignored.</param>
    public LevelOperands(NestedBits bits, int level, params ReadOnlySpan<nint> addresses)
    {
        Bits = bits;
        Level = level;
        Steps = bits.StepTo(level);
        for (int step = 0; step <= Steps; step++)
            _addresses[step] = addresses[step];
    }

    /// <summary>The weight's levels.</summary>
    public NestedBits Bits { get; }

    /// <summary>Bits of the level.</summary>
    public int Level { get; }

    /// <summary>Steps from the lowest level to this one, the number of low operands.</summary>
    public int Steps { get; }

    /// <summary>Whether the values are those of a high and a low operand of two levels, or of a high operand alone.</summary>
    public readonly bool IsPair => Steps == 0 || Bits.Count == 2;

    /// <summary>The high operand.</summary>
    public readonly byte* High => this[0];

    /// <summary>The low operand of the first step; null at the lowest level.</summary>
    public readonly byte* Low => Steps == 0 ? null : this[1];

    /// <summary>An operand.</summary>
    /// <param name="step">0 for the high one, or the step of a low one, at most <see cref="Steps"/>.</param>
    public readonly byte* this[int step] => (byte*)_addresses[step];

    /// <summary>The same operands further on.</summary>
    /// <param name="row">Rows of k of one panel, which may reach into the panels that follow.</param>
    public readonly LevelOperands Skip(long row)
    {
        LevelOperands further = this;
        for (int step = 0; step <= Steps; step++)
            further._addresses[step] += (nint)(row * (NestedLayout.PanelChannels / 8) * Bits.WidthOfStep(step));
        return further;
    }

    [InlineArray(NestedBits.MostLevels)]
    private struct Addresses
    {
        private nint _first;
    }
}
