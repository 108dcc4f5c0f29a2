using System.Runtime.CompilerServices;
using NestQuant.RuntimeOps.Kernels.Emission;

namespace NestQuant.RuntimeOps.Kernels.Tiers.Avx512Vnni;

/// <summary>The emitted products that store another tile, each emitted when it is first used.</summary>
/// <param name="map">Makes code executable.</param>
internal sealed unsafe class EmittedStoringProducts(EmittedCode.MapCode map)
{
    private readonly nint[] _entries = new nint[(DotProductEmitter.MaxRows + 1) * EpilogueForm.Count];

    /// <summary>Multiplies rows with 32 channels and stores a complete tile, where there is code that does both at once.</summary>
    /// <param name="arguments">The operands.</param>
    /// <param name="rows">Rows to multiply, at most <see cref="DotProductEmitter.MaxRows"/>.</param>
    /// <param name="complete">The rows to store.</param>
    /// <returns>False, with nothing done, where there is none or most rows would be stored after the product.</returns>
    [MethodImpl(MethodCompilation.Loops)]
    public bool TryRun(TileArguments* arguments, int rows, in CompleteRows complete)
    {
        // Two rows are stored with each group, and two more afterwards take no longer than in a function of their own.
        long groups = arguments->ChunkGroups * (arguments->EndOfChunks - arguments->Chunks);
        if (rows < StoringProductEmitter.LeastRows || (groups + 1) * EpilogueRows.MaxRows < complete.Rows)
            return false;
        EpilogueForm form = EpilogueForm.Of(*complete.Epilogue, complete.Channels);
        ref nint entry = ref _entries[rows * EpilogueForm.Count + form.Index];
        if (Volatile.Read(ref entry) == 0)
            EmittedCode.Map(ref entry, StoringProductEmitter.Emit(rows, form), map);
        if (entry == EmittedCode.Refused)
            return false;
        EpilogueArguments stores = EpilogueArguments.Create(
            complete.Tile, complete.Rows, complete.Channels, complete.Epilogue, complete.Y, complete.YStride);
        ((delegate* unmanaged[Cdecl, SuppressGCTransition]<TileArguments*, EpilogueArguments*, void>)entry)(arguments, &stores);
        return true;
    }
}
