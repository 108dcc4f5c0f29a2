using System.Buffers;
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
            for (int output = 0; output < shape.LinesPerStep; output++)
                Reorder(decoded, output, Line(prepared, output));
        }

        if (buffer is not null)
            ArrayPool<sbyte>.Shared.Return(buffer);
    }

    /// <summary>From <c>[tap / 4][channel 32][4]</c> to <c>[tap][channel 32][line 4]</c>, channel by channel in 32-bit words.</summary>
    private void Reorder(sbyte* decoded, int output, sbyte* target)
    {
        // In bounds: a tap of the kernel lies in the words of its group of four, as many as there are channels; a tap of 4 lines has as many.
        for (int tap = 0; tap < shape.Taps; tap++, target += StripKernel.ColumnBytes)
        {
            Vector256<uint> w0 = default, w1 = default, w2 = default, w3 = default;
            for (int line = 0; line < StripKernel.GroupLines; line++)
            {
                if (shape.KernelTap(tap, line, output) is not { } source)
                    continue;
                uint* words = (uint*)(decoded + source / 4 * StripKernel.ColumnBytes);
                int from = 8 * (source % 4), to = 8 * line;
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

    private static Vector256<uint> Move(uint* words, int from, int to) => ((Vector256.Load(words) >>> from) & Vector256.Create(0xFFu)) << to;
}
