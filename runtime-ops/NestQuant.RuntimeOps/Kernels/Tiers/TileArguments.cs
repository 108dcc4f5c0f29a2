using System.Runtime.InteropServices;

namespace NestQuant.RuntimeOps.Kernels.Tiers;

/// <summary>The arguments of the code of a <see cref="TileProduct"/>; emitted code accesses the fields by their offsets.</summary>
[StructLayout(LayoutKind.Explicit)]
internal unsafe struct TileArguments
{
    /// <summary>Offset of <see cref="Rows"/>.</summary>
    public const int RowsAt = 0;

    /// <summary>Offset of <see cref="RowStride"/>.</summary>
    public const int RowStrideAt = 8;

    /// <summary>Offset of <see cref="Chunks"/>.</summary>
    public const int ChunksAt = 16;

    /// <summary>Offset of <see cref="EndOfChunks"/>.</summary>
    public const int EndOfChunksAt = 24;

    /// <summary>Offset of <see cref="ChunkGroups"/>.</summary>
    public const int ChunkGroupsAt = 32;

    /// <summary>Offset of <see cref="Panel"/>.</summary>
    public const int PanelAt = 40;

    /// <summary>Offset of <see cref="Tile"/>.</summary>
    public const int TileAt = 48;

    /// <summary>Offset of <see cref="Start"/>.</summary>
    public const int StartAt = 56;

    /// <summary>The first row's activations.</summary>
    [FieldOffset(RowsAt)]
    public byte* Rows;

    /// <summary>Bytes from one row to the next.</summary>
    [FieldOffset(RowStrideAt)]
    public nint RowStride;

    /// <summary>Offsets of a row's chunks, in bytes from the start of the row.</summary>
    [FieldOffset(ChunksAt)]
    public nint* Chunks;

    /// <summary>The end of <see cref="Chunks"/>.</summary>
    [FieldOffset(EndOfChunksAt)]
    public nint* EndOfChunks;

    /// <summary>Groups of 4 bytes in a chunk, at least 1.</summary>
    [FieldOffset(ChunkGroupsAt)]
    public nint ChunkGroups;

    /// <summary>
    /// The prepared panel, <c>[chunk][group][channel 32][4]</c>; for 16 channels from the second half of the panel, 64 bytes further.
    /// </summary>
    [FieldOffset(PanelAt)]
    public sbyte* Panel;

    /// <summary>Receives the accumulators, <c>[row][channel 32]</c>; for the second half of the panel, 16 further.</summary>
    [FieldOffset(TileAt)]
    public int* Tile;

    /// <summary>Initial value of each channel's accumulators, <c>[channel 32]</c>; for the second half of the panel, 16 further.</summary>
    [FieldOffset(StartAt)]
    public int* Start;
}
