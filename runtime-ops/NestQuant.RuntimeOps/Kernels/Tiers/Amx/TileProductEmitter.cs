using NestQuant.RuntimeOps.Kernels.Emission;
using NestQuant.RuntimeOps.Kernels.Tiers.Avx2;

namespace NestQuant.RuntimeOps.Kernels.Tiers.Amx;

/// <summary>
/// Emits the integer product of tiles of 16 rows of activations with a panel by AMX: a C function, in the calling convention of System V,
/// <c>void(TileArguments*)</c>.
/// </summary>
/// <remarks>
/// Tiles 0 to 3 hold accumulators, 4 and 5 a chunk of the rows, 6 and 7 the chunk's weights for 16 channels each. A tile's rows are loaded
/// in place, at the distance between rows; a tile of weights is 16 groups of the panel, which has that layout already. Accumulators wrap
/// modulo 2^32 and never saturate.
/// </remarks>
internal static class TileProductEmitter
{
    /// <summary>Rows of a tile register.</summary>
    public const int TileRows = 16;

    /// <summary>Bytes of a tile register's row.</summary>
    public const int TileRowBytes = 64;

    /// <summary>The most tiles of rows.</summary>
    public const int MaxRowTiles = 2;

    /// <summary>The most tiles of 16 channels: a whole panel.</summary>
    public const int MaxVectors = 2;

    private const int PanelGroupBytes = KernelTier.TileChannels * 4;
    private const int FirstRows = 4;
    private const int FirstWeights = 6;

    private const Register Arguments = Register.Rdi;
    private const Register RowStride = Register.Rsi;
    private const Register Panel = Register.Rdx;
    private const Register GroupStride = Register.Rcx;
    private const Register Chunk = Register.R8;
    private const Register Rows = Register.R9;
    private const Register TileStride = Register.R10;
    private const Register ChunkPanelBytes = Register.R11;

    /// <summary>Emits one kernel; the tiles must be configured (<see cref="TileShapes"/>).</summary>
    /// <param name="rowTiles">1 or 2 tiles of rows.</param>
    /// <param name="vectors">1 for 16 channels from those that the panel points to, 2 for 32.</param>
    public static byte[] Emit(int rowTiles, int vectors)
    {
        Assembler code = new();
        code.Load(RowStride, new MemoryOperand(Arguments, TileArguments.RowStrideAt));
        code.LoadAddress(TileStride, new MemoryOperand(RowStride));
        code.ShiftLeft(TileStride, 4);
        code.Load(Panel, new MemoryOperand(Arguments, TileArguments.PanelAt));
        code.Load(ChunkPanelBytes, new MemoryOperand(Arguments, TileArguments.ChunkGroupsAt));
        code.ShiftLeft(ChunkPanelBytes, 7);
        code.Clear(GroupStride);
        code.Add(GroupStride, PanelGroupBytes);
        Start(code, rowTiles, vectors);

        Label chunk = new();
        code.Bind(chunk);
        code.Load(Rows, new MemoryOperand(Chunk));
        code.Add(Chunk, sizeof(long));
        code.Add(Rows, new MemoryOperand(Arguments, TileArguments.RowsAt));
        for (int vector = 0; vector < vectors; vector++)
            code.Load(new Tmm(FirstWeights + vector), new MemoryOperand(Panel, vector * TileRowBytes) { Index = GroupStride });
        for (int tile = 0; tile < rowTiles; tile++)
        {
            if (tile > 0)
                code.LoadAddress(Rows, new MemoryOperand(Rows) { Index = TileStride });
            code.Load(new Tmm(FirstRows + tile), new MemoryOperand(Rows) { Index = RowStride });
            for (int vector = 0; vector < vectors; vector++)
                code.DotProduct(new Tmm(tile * vectors + vector), new Tmm(FirstRows + tile), new Tmm(FirstWeights + vector));
        }

        code.LoadAddress(Panel, new MemoryOperand(Panel) { Index = ChunkPanelBytes });
        code.Compare(Chunk, new MemoryOperand(Arguments, TileArguments.EndOfChunksAt));
        code.Jump(Condition.NotZero, chunk);

        code.Load(Rows, new MemoryOperand(Arguments, TileArguments.TileAt));
        for (int tile = 0; tile < rowTiles; tile++)
        {
            for (int vector = 0; vector < vectors; vector++)
            {
                int target = (tile * TileRows * KernelTier.TileChannels) * sizeof(int) + vector * TileRowBytes;
                code.Store(new MemoryOperand(Rows, target) { Index = GroupStride }, new Tmm(tile * vectors + vector));
            }
        }

        code.Return();
        return code.ToCode();
    }

    /// <summary>Every row of accumulators starts with the channels' initial values: loaded at a distance of 0, one row fills a
    /// tile.</summary>
    private static void Start(Assembler code, int rowTiles, int vectors)
    {
        code.Clear(Chunk);
        code.Load(Rows, new MemoryOperand(Arguments, TileArguments.StartAt));
        for (int tile = 0; tile < rowTiles * vectors; tile++)
            code.Load(new Tmm(tile), new MemoryOperand(Rows, tile % vectors * TileRowBytes) { Index = Chunk });
        code.Load(Chunk, new MemoryOperand(Arguments, TileArguments.ChunksAt));
    }

    /// <summary>Emits <c>void(byte* shapes)</c>, which loads the thread's tile configuration.</summary>
    public static byte[] EmitConfigure()
    {
        Assembler code = new();
        code.LoadTileConfiguration(Arguments);
        code.Return();
        return code.ToCode();
    }

    /// <summary>Emits <c>void()</c>, which releases the thread's tile configuration, so that other code on the thread does not find
    /// it.</summary>
    public static byte[] EmitRelease()
    {
        Assembler code = new();
        code.ReleaseTiles();
        code.Return();
        return code.ToCode();
    }

    /// <summary>The shapes of the tiles, as ldtilecfg reads them.</summary>
    /// <param name="rows">Rows of a tile of activations, 1 to 16.</param>
    /// <param name="chunkGroups">Groups of 4 bytes in a chunk, 1 to 16.</param>
    /// <param name="shapes">Receives 64 bytes.</param>
    public static void TileShapes(int rows, int chunkGroups, Span<byte> shapes)
    {
        // Byte 0 is the palette; the bytes of a row (16-bit) start at 16, the rows at 48.
        shapes.Clear();
        shapes[0] = 1;
        for (int tile = 0; tile < FirstWeights + MaxVectors; tile++)
        {
            shapes[16 + 2 * tile] = (byte)(tile is >= FirstRows and < FirstWeights ? chunkGroups * 4 : TileRowBytes);
            shapes[48 + tile] = (byte)(tile < FirstWeights ? rows : chunkGroups);
        }
    }
}
