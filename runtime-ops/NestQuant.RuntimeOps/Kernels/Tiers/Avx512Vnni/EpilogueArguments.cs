using System.Runtime.InteropServices;

namespace NestQuant.RuntimeOps.Kernels.Tiers.Avx512Vnni;

/// <summary>
/// The arguments of the code of an <see cref="EpilogueEmitter"/> or a <see cref="StoringProductEmitter"/>, which accesses the fields by
/// their offsets.
/// </summary>
[StructLayout(LayoutKind.Explicit, Size = Bytes)]
internal unsafe struct EpilogueArguments
{
    /// <summary>Offset of <see cref="Tile"/>.</summary>
    public const int TileAt = 0;

    /// <summary>Offset of <see cref="Rows"/>.</summary>
    public const int RowsAt = 8;

    /// <summary>Offset of <see cref="Factors"/>.</summary>
    public const int FactorsAt = 16;

    /// <summary>Offset of <see cref="Output"/>.</summary>
    public const int OutputAt = 24;

    /// <summary>Offset of <see cref="OutputStride"/>.</summary>
    public const int OutputStrideAt = 32;

    /// <summary>Offset of <see cref="Channels"/>.</summary>
    public const int ChannelsAt = 40;

    /// <summary>Offset of <see cref="Least"/>.</summary>
    public const int LeastAt = 44;

    /// <summary>Offset of <see cref="Greatest"/>.</summary>
    public const int GreatestAt = 48;

    /// <summary>Offset of <see cref="ZeroPoint"/>.</summary>
    public const int ZeroPointAt = 52;

    /// <summary>Offset of the first of six registers that the code may keep here while it uses them.</summary>
    public const int SavedAt = 56;

    private const int Bytes = SavedAt + 6 * sizeof(long);

    /// <summary>Accumulators, <c>[row][channel 32]</c>.</summary>
    [FieldOffset(TileAt)]
    public int* Tile;

    /// <summary>Rows, at least 1.</summary>
    [FieldOffset(RowsAt)]
    public nint Rows;

    /// <summary>The panel's factors: of them the code reads <see cref="PanelEpilogue.Scale"/> and <see cref="PanelEpilogue.Bias"/>.
    /// </summary>
    [FieldOffset(FactorsAt)]
    public PanelEpilogue* Factors;

    /// <summary>Output of row 0, channel 0 of the panel.</summary>
    [FieldOffset(OutputAt)]
    public byte* Output;

    /// <summary>Bytes from one row of the output to the next.</summary>
    [FieldOffset(OutputStrideAt)]
    public nint OutputStride;

    /// <summary>The channels to store, one bit each, the panel's first in the lowest; not read where that is all of them.</summary>
    [FieldOffset(ChannelsAt)]
    public uint Channels;

    /// <summary>The least result, the output's zero point included, four times; read only where results are clamped.</summary>
    [FieldOffset(LeastAt)]
    public uint Least;

    /// <summary>The greatest result, the output's zero point included, four times; read only where results are clamped.</summary>
    [FieldOffset(GreatestAt)]
    public uint Greatest;

    /// <summary><see cref="PanelEpilogue.OutputZeroPoint"/> in both halves; read only where it is not 0.</summary>
    [FieldOffset(ZeroPointAt)]
    public uint ZeroPoint;

    /// <summary>The arguments of one tile; see <see cref="TileProduct.Store"/>.</summary>
    public static EpilogueArguments Create(int* tile, int rows, int channels, PanelEpilogue* factors, byte* y, long yStride) => new()
    {
        Tile = tile,
        Rows = rows,
        Factors = factors,
        Output = y,
        OutputStride = (nint)yStride,
        Channels = (uint)((1UL << channels) - 1),
        Greatest = (uint)(factors->Greatest + factors->OutputZeroPoint) * 0x01010101,
        ZeroPoint = (uint)factors->OutputZeroPoint * 0x00010001,
        Least = (uint)(factors->Least + factors->OutputZeroPoint) * 0x01010101,
    };
}
