using System.Runtime.InteropServices;
using NestQuant.RuntimeOps.Kernels.Execution;

namespace NestQuant.RuntimeOps.Kernels.Tiers;

/// <summary>
/// The arguments of a <see cref="StripKernel"/>, for one panel: output lines of equal length, one below the other. Emitted code accesses
/// the fields at the offsets given here, and may change them.
/// </summary>
/// <remarks>
/// Outputs are computed line by line (or two lines at a time, a step). Of each group of 4 input lines that a step needs, the panel's bytes
/// are interleaved first: the strip <c>[group][column][channel 32][line 4]</c>, padding columns included, holds the whole input of the
/// step's outputs.
/// </remarks>
[StructLayout(LayoutKind.Explicit)]
internal unsafe struct StripArguments
{
    /// <summary>Offset of <see cref="Lines"/>.</summary>
    public const int LinesAt = 0x00;

    /// <summary>Offset of <see cref="Steps"/>.</summary>
    public const int StepsAt = 0x08;

    /// <summary>Offset of <see cref="FirstByte"/>.</summary>
    public const int FirstByteAt = 0x10;

    /// <summary>Offset of <see cref="PositionStride"/>.</summary>
    public const int PositionStrideAt = 0x18;

    /// <summary>Offset of <see cref="InsideColumns"/>.</summary>
    public const int InsideColumnsAt = 0x20;

    /// <summary>Offset of <see cref="Inside"/>.</summary>
    public const int InsideAt = 0x28;

    /// <summary>Offset of <see cref="InsideEnd"/>.</summary>
    public const int InsideEndAt = 0x30;

    /// <summary>Offset of <see cref="GroupGap"/>.</summary>
    public const int GroupGapAt = 0x38;

    /// <summary>Offset of <see cref="Strip"/>.</summary>
    public const int StripAt = 0x40;

    /// <summary>Offset of <see cref="Columns"/>.</summary>
    public const int ColumnsAt = 0x48;

    /// <summary>Offset of <see cref="ColumnStep"/>.</summary>
    public const int ColumnStepAt = 0x50;

    /// <summary>Offset of <see cref="TapOffsets"/>.</summary>
    public const int TapOffsetsAt = 0x58;

    /// <summary>Offset of <see cref="Taps"/>.</summary>
    public const int TapsAt = 0x60;

    /// <summary>Offset of <see cref="Weights"/>.</summary>
    public const int WeightsAt = 0x68;

    /// <summary>Offset of <see cref="SecondWeights"/>.</summary>
    public const int SecondWeightsAt = 0x70;

    /// <summary>Offset of <see cref="Epilogue"/>.</summary>
    public const int EpilogueAt = 0x78;

    /// <summary>Offset of <see cref="Y"/>.</summary>
    public const int YAt = 0x80;

    /// <summary>Offset of <see cref="RowStride"/>.</summary>
    public const int RowStrideAt = 0x88;

    /// <summary>Offset of <see cref="LineStride"/>.</summary>
    public const int LineStrideAt = 0x90;

    /// <summary>Offset of <see cref="Channels"/>.</summary>
    public const int ChannelsAt = 0x98;

    /// <summary>Offset of <see cref="Kernel"/>.</summary>
    public const int KernelAt = 0xA0;

    /// <summary>
    /// Addresses of input lines at their first column inside the image and under the strip, 4 for each group of each step.
    /// </summary>
    [FieldOffset(LinesAt)]
    public byte** Lines;

    /// <summary>Output lines or pairs of lines, at least 1.</summary>
    [FieldOffset(StepsAt)]
    public nint Steps;

    /// <summary>Bytes from the addresses of lines to the panel's first channel.</summary>
    [FieldOffset(FirstByteAt)]
    public nint FirstByte;

    /// <summary>Bytes from one input position to the next.</summary>
    [FieldOffset(PositionStrideAt)]
    public nint PositionStride;

    /// <summary>Columns to interleave, at least 0.</summary>
    [FieldOffset(InsideColumnsAt)]
    public nint InsideColumns;

    /// <summary>Destination of the first of them, in the strip's first group.</summary>
    [FieldOffset(InsideAt)]
    public byte* Inside;

    /// <summary>Its destination in a group after the strip's last one.</summary>
    [FieldOffset(InsideEndAt)]
    public byte* InsideEnd;

    /// <summary>Bytes of the strip from a group's last inside column, its own not counted, to the next group's first.</summary>
    [FieldOffset(GroupGapAt)]
    public nint GroupGap;

    /// <summary>The strip, whose columns outside the image hold the zero point.</summary>
    [FieldOffset(StripAt)]
    public byte* Strip;

    /// <summary>Outputs of a line, at least 1.</summary>
    [FieldOffset(ColumnsAt)]
    public nint Columns;

    /// <summary>Bytes of the strip from an output's taps to those of the next output.</summary>
    [FieldOffset(ColumnStepAt)]
    public nint ColumnStep;

    /// <summary>Bytes from an output's first tap to each of its taps; a tap is 4 lines.</summary>
    [FieldOffset(TapOffsetsAt)]
    public nint* TapOffsets;

    /// <summary>Taps of an output, at least 1.</summary>
    [FieldOffset(TapsAt)]
    public nint Taps;

    /// <summary>Weights <c>[tap][channel 32][line 4]</c>, of a step's first line.</summary>
    [FieldOffset(WeightsAt)]
    public sbyte* Weights;

    /// <summary>The weights of the second line; not read where steps are single lines.</summary>
    [FieldOffset(SecondWeightsAt)]
    public sbyte* SecondWeights;

    /// <summary>The panel's factors, without weight zero points; results fit in 32 bits before clamping.</summary>
    [FieldOffset(EpilogueAt)]
    public PanelEpilogue* Epilogue;

    /// <summary>The first output, at the panel's first channel.</summary>
    [FieldOffset(YAt)]
    public byte* Y;

    /// <summary>Bytes from one output to the next.</summary>
    [FieldOffset(RowStrideAt)]
    public nint RowStride;

    /// <summary>Bytes from one output line to the next.</summary>
    [FieldOffset(LineStrideAt)]
    public nint LineStride;

    /// <summary>Channels of the panel, 1 to 32; no others are read or written.</summary>
    [FieldOffset(ChannelsAt)]
    public nint Channels;

    /// <summary>Scratch memory of the kernel.</summary>
    [FieldOffset(KernelAt)]
    public fixed long Kernel[8];
}
