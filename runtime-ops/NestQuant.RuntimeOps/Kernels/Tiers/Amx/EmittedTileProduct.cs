using NestQuant.RuntimeOps.Kernels.Emission;

namespace NestQuant.RuntimeOps.Kernels.Tiers.Amx;

/// <summary>The emitted AMX code of this process.</summary>
internal sealed unsafe class EmittedTileProduct
{
    private static readonly Lazy<(EmittedTileProduct? Kernels, string? Refusal)> Loaded =
        new(() => Load(ProcessorFeatures.Read(), TilePermission.Request, ExecutableMemory.TryMap));

    private readonly nint[] _products;
    private readonly nint _configure;
    private readonly nint _release;

    private EmittedTileProduct(nint[] entries)
    {
        _products = entries[..^2];
        _configure = entries[^2];
        _release = entries[^1];
    }

    /// <summary>Asks the system for the tile registers; see <see cref="TilePermission.Request"/>.</summary>
    public delegate bool RequestTiles(out string? refusal);

    /// <summary>The kernels, or null where they cannot run.</summary>
    public static EmittedTileProduct? Instance => Loaded.Value.Kernels;

    /// <summary>Why there are none; null where there are.</summary>
    public static string? Refusal => Loaded.Value.Refusal;

    /// <summary>Loads the thread's tile configuration.</summary>
    /// <param name="rows">Rows of a tile, 1 to 16.</param>
    /// <param name="chunkGroups">Groups of 4 bytes in a chunk, 1 to 16.</param>
    public void Configure(int rows, int chunkGroups)
    {
        byte* shapes = stackalloc byte[TileProductEmitter.TileRowBytes];
        TileProductEmitter.TileShapes(rows, chunkGroups, new Span<byte>(shapes, TileProductEmitter.TileRowBytes));
        ((delegate* unmanaged[Cdecl, SuppressGCTransition]<byte*, void>)_configure)(shapes);
    }

    /// <summary>Releases the thread's tile configuration.</summary>
    public void Release() => ((delegate* unmanaged[Cdecl, SuppressGCTransition]<void>)_release)();

    /// <summary>Multiplies tiles of rows with a panel.</summary>
    /// <param name="arguments">The operands.</param>
    /// <param name="rowTiles">1 or 2 tiles of rows.</param>
    /// <param name="vectors">1 for 16 channels, 2 for 32.</param>
    public void Multiply(TileArguments* arguments, int rowTiles, int vectors) =>
        ((delegate* unmanaged[Cdecl, SuppressGCTransition]<TileArguments*, void>)_products[Index(rowTiles, vectors)])(arguments);

    /// <summary>Emits and maps the code.</summary>
    /// <param name="features">The processor's features.</param>
    /// <param name="request">Asks the system for the tile registers.</param>
    /// <param name="map">Makes code executable.</param>
    /// <returns>The kernels, or why there are none.</returns>
    public static (EmittedTileProduct? Kernels, string? Refusal) Load(
        ProcessorFeatures features, RequestTiles request, EmittedCode.MapCode map)
    {
        if (!features.HasAmxInt8)
            return (null, "this processor does not have AMX-INT8");
        if (!request(out string? refusal))
            return (null, refusal);
        byte[][] code = new byte[TileProductEmitter.MaxRowTiles * TileProductEmitter.MaxVectors + 2][];
        for (int rowTiles = 1; rowTiles <= TileProductEmitter.MaxRowTiles; rowTiles++)
        {
            for (int vectors = 1; vectors <= TileProductEmitter.MaxVectors; vectors++)
                code[Index(rowTiles, vectors)] = TileProductEmitter.Emit(rowTiles, vectors);
        }

        code[^2] = TileProductEmitter.EmitConfigure();
        code[^1] = TileProductEmitter.EmitRelease();
        nint[]? entries = EmittedCode.TryMap(code, map, out refusal);
        return (entries is null ? null : new EmittedTileProduct(entries), refusal);
    }

    private static int Index(int rowTiles, int vectors) => (rowTiles - 1) * TileProductEmitter.MaxVectors + vectors - 1;
}
