using System.Buffers;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using NestQuant.RuntimeOps.Packing;

namespace NestQuant.RuntimeOps.Kernels.Strips;

/// <summary>Brings panels of depthwise weights into the order of strips.</summary>
/// <remarks>A prepared panel is the sums of its channels' weights, int[32], and for each output line of a step <c>[tap][channel 32][line 4]</c>.</remarks>
internal sealed unsafe class StripWeights(KernelTier tier, in PanelSource weights, StripShape shape) : IPanelPreparation
{
    private const int Channels = KernelTier.TileChannels;
    private const int SumBytes = Channels * sizeof(int);
    private const int MostOnStack = 4096;

    private readonly PanelSource _weights = weights;

    /// <inheritdoc/>
    public object Form => tier.Strips!;

    /// <inheritdoc/>
    public int Bytes => SumBytes + shape.LinesPerStep * shape.LineBytes;

    /// <summary>The sums of a prepared panel's weights, int[32].</summary>
    public static int* Sums(byte* prepared) => (int*)prepared;

    /// <summary>The weights of an output line of a step.</summary>
    public sbyte* Line(byte* prepared, int output) => (sbyte*)prepared + SumBytes + output * shape.LineBytes;

    /// <inheritdoc/>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Prepare(int panel, byte* prepared)
    {
        int length = _weights.DecodedLength;
        sbyte* onStack = stackalloc sbyte[length <= MostOnStack ? length : 0];
        sbyte[]? buffer = length <= MostOnStack ? null : ArrayPool<sbyte>.Shared.Rent(length);
        fixed (sbyte* inBuffer = buffer)
        {
            sbyte* decoded = buffer is null ? onStack : inBuffer;
            _weights.Decode(tier, panel, decoded);
            tier.SumWeights(decoded, _weights.Groups, Sums(prepared));
            Reorder(decoded, Line(prepared, 0));
            if (shape.LinesPerStep == 2)
                MoveDown(Line(prepared, 0), Line(prepared, 1));
        }

        if (buffer is not null)
            ArrayPool<sbyte>.Shared.Return(buffer);
    }

    /// <summary>From <c>[tap / 4][channel 32][4]</c> to <c>[tap][channel 32][line 4]</c>, in 32-bit words, one per channel.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Reorder(sbyte* decoded, sbyte* target)
    {
        // In bounds: a tap of the kernel lies in the 32 words of its group of four; a tap of 4 lines has as many.
        for (int tap = 0; tap < shape.Taps; tap++, target += StripKernel.ColumnBytes)
        {
            Vector256<uint> w0 = default, w1 = default, w2 = default, w3 = default;
            for (int line = 0; line < StripKernel.GroupLines; line++)
            {
                int source = shape.KernelTap(tap, line);
                if (source < 0)
                    continue;
                uint* words = (uint*)(decoded + (source >> 2) * StripKernel.ColumnBytes);
                int from = 8 * (source & 3), to = 8 * line;
                w0 |= Move(words, from, to);
                w1 |= Move(words + 8, from, to);
                w2 |= Move(words + 16, from, to);
                w3 |= Move(words + 24, from, to);
            }

            w0.Store((uint*)target);
            w1.Store((uint*)target + 8);
            w2.Store((uint*)target + 16);
            w3.Store((uint*)target + 24);
        }
    }

    /// <summary>The weights of the line below: each moves to the next line, from the last of a group to the first of the next group.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void MoveDown(sbyte* first, sbyte* second)
    {
        // In bounds: both have all taps; groups but the first look back by one group.
        int groupWords = shape.LineBytes / shape.Groups / sizeof(uint);
        int words = shape.LineBytes / sizeof(uint);
        for (int word = 0; word < words; word += Vector256<uint>.Count)
        {
            Vector256<uint> moved = Vector256.Load((uint*)first + word) << 8;
            if (word >= groupWords)
                moved |= Vector256.Load((uint*)first + word - groupWords) >>> 24;
            moved.Store((uint*)second + word);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<uint> Move(uint* words, int from, int to) => ((Vector256.Load(words) >>> from) & Vector256.Create(0xFFu)) << to;
}
