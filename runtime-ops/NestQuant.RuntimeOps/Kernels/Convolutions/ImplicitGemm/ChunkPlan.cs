using NestQuant.RuntimeOps.Packing;

namespace NestQuant.RuntimeOps.Kernels.Convolutions.ImplicitGemm;

/// <summary>How the K activations under an output position are cut into contiguous chunks.</summary>
/// <remarks>
/// A segment is the longest contiguous run: the taps of one kernel line, or the channels of one tap where the line's taps are not adjacent
/// (groups, dilation). It is read in chunks of equal length. The last chunk of a segment ends with it, and so may overlap the one before:
/// the panel has zeros for activations that were multiplied already.
/// </remarks>
internal sealed class ChunkPlan
{
    private const int GroupBytes = 4;
    private const int PanelGroupBytes = GroupBytes * NestedLayout.PanelChannels;

    /// <summary>Plans a convolution's chunks.</summary>
    /// <param name="geometry">The convolution.</param>
    /// <param name="mostChunkBytes">The most bytes of a chunk, a multiple of 4.</param>
    public ChunkPlan(ConvolutionGeometry geometry, int mostChunkBytes)
    {
        HasMergedTaps = geometry.Groups == 1 && (geometry.Width.Dilation == 1 || geometry.Width.Kernel == 1);
        Segments = HasMergedTaps ? geometry.Height.Kernel : geometry.Taps;
        SegmentLength = geometry.ReductionLength / Segments;
        SegmentBytes = (SegmentLength + GroupBytes - 1) / GroupBytes * GroupBytes;
        ChunkBytes = Math.Min(SegmentBytes, mostChunkBytes);
        ChunksPerSegment = (SegmentBytes + ChunkBytes - 1) / ChunkBytes;
    }

    /// <summary>Whether a segment has all taps of a kernel line.</summary>
    public bool HasMergedTaps { get; }

    /// <summary>Segments of a row.</summary>
    public int Segments { get; }

    /// <summary>Activations of a segment.</summary>
    public int SegmentLength { get; }

    /// <summary>Bytes that are read of a segment: its length, rounded up to a multiple of 4.</summary>
    public int SegmentBytes { get; }

    /// <summary>Bytes of a chunk, a multiple of 4.</summary>
    public int ChunkBytes { get; }

    /// <summary>Chunks of a segment.</summary>
    public int ChunksPerSegment { get; }

    /// <summary>Chunks of a row.</summary>
    public int Chunks => Segments * ChunksPerSegment;

    /// <summary>Groups of 4 rows of k in a chunk.</summary>
    public int ChunkGroups => ChunkBytes / GroupBytes;

    /// <summary>Groups of 4 rows of k in a planned panel.</summary>
    public int PanelGroups => Chunks * ChunkGroups;

    /// <summary>Whether a planned panel equals the decoded one.</summary>
    public bool IsNatural => SegmentLength == SegmentBytes && SegmentBytes == ChunksPerSegment * ChunkBytes;

    private int LastChunk => ChunksPerSegment - 1;

    // Bytes that the last chunk reads again.
    private int Overlap => ChunksPerSegment * ChunkBytes - SegmentBytes;

    /// <summary>The start of a chunk, in bytes from the start of its segment.</summary>
    public int ChunkStart(int chunk) => chunk * ChunkBytes - (chunk == LastChunk ? Overlap : 0);

    /// <summary>Reorders a decoded panel.</summary>
    /// <param name="decoded">The panel, <c>[k/4][channel 32][4]</c>.</param>
    /// <param name="planned">Receives <see cref="PanelGroups"/> groups, <c>[chunk][group][channel 32][4]</c>.</param>
    public unsafe void Arrange(sbyte* decoded, sbyte* planned)
    {
        // In bounds: segment * SegmentLength + i < K, and a segment takes ChunksPerSegment * ChunkGroups groups, its last chunk's first
        // Overlap bytes zeros.
        new Span<sbyte>(planned, PanelGroups * PanelGroupBytes).Clear();
        int head = LastChunk * ChunkBytes;
        for (int segment = 0; segment < Segments; segment++)
        {
            int from = segment * SegmentLength;
            int to = segment * ChunksPerSegment * ChunkBytes;
            if (SegmentLength == SegmentBytes)
            {
                CopyGroups(decoded, from, planned, to, head);
                CopyGroups(decoded, from + head, planned, to + head + Overlap, SegmentBytes - head);
            }
            else
            {
                for (int i = 0; i < SegmentLength; i++)
                    CopyRow(decoded, from + i, planned, to + i + (i < head ? 0 : Overlap));
            }
        }
    }

    private static unsafe void CopyGroups(sbyte* source, int from, sbyte* target, int to, int rows) =>
        Buffer.MemoryCopy(
            source + (long)from * NestedLayout.PanelChannels,
            target + (long)to * NestedLayout.PanelChannels,
            (long)rows * NestedLayout.PanelChannels,
            (long)rows * NestedLayout.PanelChannels);

    private static unsafe void CopyRow(sbyte* source, int from, sbyte* target, int to)
    {
        source += from / GroupBytes * PanelGroupBytes + from % GroupBytes;
        target += to / GroupBytes * PanelGroupBytes + to % GroupBytes;
        for (int channel = 0; channel < PanelGroupBytes; channel += GroupBytes)
            target[channel] = source[channel];
    }
}
