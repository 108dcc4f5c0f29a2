using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using NestQuant.RuntimeOps.Kernels.Execution;
using NestQuant.RuntimeOps.Kernels.Tiers;
using X86Avx2 = System.Runtime.Intrinsics.X86.Avx2;

namespace NestQuant.RuntimeOps.Kernels.Convolutions.Strips;

/// <summary>Converts panels of depthwise weights to the order of strips; needs AVX2, as all tiers with strip kernels do.</summary>
/// <remarks>
/// A prepared panel is the sums of its channels' weights, int[32], and for each output line of a step <c>[tap][channel 32][line 4]</c>,
/// or what <see cref="StripKernel.PrepareWeights"/> makes of that.
/// </remarks>
internal sealed unsafe class StripWeights(KernelTier tier, StripKernel kernel, in PanelSource weights, StripShape shape)
    : IPanelPreparation
{
    private const int Channels = KernelTier.TileChannels;
    private const int SumBytes = Channels * sizeof(int);

    // Cached, since networks have few kinds of kernels, and listing the moves takes as long as a small layer.
    private static readonly ConcurrentDictionary<StripShape, Move[]> KnownMoves = new();

    private readonly PanelSource _weights = weights;
    private readonly Move[] _moves = KnownMoves.GetOrAdd(shape, Moves);

    /// <inheritdoc/>
    public object Form => kernel;

    /// <inheritdoc/>
    public int Bytes => SumBytes + shape.LinesPerStep * LineBytes;

    private int LineBytes => shape.LineWeights * kernel.ValueBytes;

    /// <summary>The sums of a prepared panel's weights, int[32].</summary>
    public static int* Sums(byte* prepared) => (int*)prepared;

    /// <summary>The weights of an output line of a step.</summary>
    public sbyte* Line(byte* prepared, int output) => (sbyte*)prepared + SumBytes + output * LineBytes;

    /// <inheritdoc/>
    [MethodImpl(MethodCompilation.Loops)]
    public void Prepare(int panel, byte* prepared)
    {
        using Scratch memory = new(_weights.DecodedLength);
        sbyte* decoded = (sbyte*)memory.Address;
        _weights.Decode(tier, panel, decoded);
        tier.SumWeights(decoded, _weights.Groups, Sums(prepared));
        Reorder(decoded, Line(prepared, 0));
        if (shape.LinesPerStep == 2)
            MoveDown(Line(prepared, 0), Line(prepared, 1));
        for (int line = 0; line < shape.LinesPerStep; line++)
            kernel.PrepareWeights(Line(prepared, line), shape.Taps);
    }

    /// <summary>From <c>[tap / 4][channel 32][4]</c> to <c>[tap][channel 32][line 4]</c>, in 32-bit words, one per channel.</summary>
    [MethodImpl(MethodCompilation.Loops)]
    private void Reorder(sbyte* decoded, sbyte* target)
    {
        // In bounds: a move's source is the 32 words of a group of four taps, which decoded panels hold for every tap; moves are in the
        // order of their targets.
        Vector256<byte> w0 = default, w1 = default, w2 = default, w3 = default;
        foreach (Move move in _moves)
        {
            byte* words = (byte*)decoded + move.Group * StripKernel.ColumnValues;
            Vector256<byte> order = Vector256.Create(move.Order, move.Order);
            w0 |= X86Avx2.Shuffle(Vector256.Load(words), order);
            w1 |= X86Avx2.Shuffle(Vector256.Load(words + 32), order);
            w2 |= X86Avx2.Shuffle(Vector256.Load(words + 64), order);
            w3 |= X86Avx2.Shuffle(Vector256.Load(words + 96), order);
            if (!move.IsLast)
                continue;
            w0.Store((byte*)target);
            w1.Store((byte*)target + 32);
            w2.Store((byte*)target + 64);
            w3.Store((byte*)target + 96);
            w0 = w1 = w2 = w3 = default;
            target += StripKernel.ColumnValues;
        }
    }

    /// <summary>
    /// The weights of the line below: each moves to the next line, from the last of a group to the first of the next group.
    /// </summary>
    [MethodImpl(MethodCompilation.Loops)]
    private void MoveDown(sbyte* first, sbyte* second)
    {
        // In bounds: both have all taps; all groups but the first read the previous group.
        int groupWords = shape.LineWeights / shape.Groups / sizeof(uint);
        int words = shape.LineWeights / sizeof(uint);
        for (int word = 0; word < words; word += Vector256<uint>.Count)
        {
            Vector256<uint> moved = Vector256.Load((uint*)first + word) << 8;
            if (word >= groupWords)
                moved |= Vector256.Load((uint*)first + word - groupWords) >>> 24;
            moved.Store((uint*)second + word);
        }
    }

    /// <summary>Lists the sources of each tap of 4 lines, in the order of the taps.</summary>
    private static Move[] Moves(StripShape shape)
    {
        List<Move> moves = [];
        for (int tap = 0; tap < shape.Taps; tap++)
        {
            int first = moves.Count;
            for (int line = 0; line < StripKernel.GroupLines; line++)
            {
                int source = shape.KernelTap(tap, line);
                if (source < 0)
                    continue;
                int index = moves.FindIndex(first, move => move.Group == source / 4);
                Vector128<byte> order = index < 0 ? Vector128.Create((byte)0x80) : moves[index].Order;
                for (int channel = 0; channel < 4; channel++)
                    order = order.WithElement(channel * 4 + line, (byte)(channel * 4 + source % 4));
                Move changed = new(source / 4, order, IsLast: false);
                if (index < 0)
                    moves.Add(changed);
                else
                    moves[index] = changed;
            }

            moves[^1] = moves[^1] with { IsLast = true };
        }

        return [.. moves];
    }

    /// <summary>Bytes of one group of four taps that go to one tap of 4 lines.</summary>
    /// <param name="Group">The group.</param>
    /// <param name="Order">Source positions of the bytes of four channels; the highest bit means 0.</param>
    /// <param name="IsLast">Whether the tap is complete.</param>
    private readonly record struct Move(int Group, Vector128<byte> Order, bool IsLast);
}
