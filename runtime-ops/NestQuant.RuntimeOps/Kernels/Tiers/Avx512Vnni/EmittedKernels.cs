using System.Runtime.CompilerServices;
using NestQuant.RuntimeOps.Kernels.Emission;

namespace NestQuant.RuntimeOps.Kernels.Tiers.Avx512Vnni;

/// <summary>
/// The emitted AVX-512 code of this process: products, for each number of rows, epilogues and sums of weights.
/// </summary>
internal sealed unsafe class EmittedKernels
{
    private const string UnsavedRegisters = "the operating system does not save the registers of AVX-512";

    private static readonly Lazy<(EmittedKernels? Kernels, string? Refusal)> Loaded =
        new(() => Load(ProcessorFeatures.Read(), ExecutableMemory.TryMap));

    private readonly nint[] _products;
    private readonly nint[] _words;
    private readonly nint[] _addedWords;
    private readonly nint[] _epilogues;
    private readonly nint _sumWeights;

    private EmittedKernels(ReadOnlySpan<nint> entries)
    {
        const int rows = DotProductEmitter.MaxRows, products = rows * DotProductEmitter.MaxVectors;
        _words = entries[..rows].ToArray();
        _addedWords = entries[rows..(2 * rows)].ToArray();
        _products = entries[(2 * rows)..(2 * rows + products)].ToArray();
        _epilogues = entries[(2 * rows + products)..^1].ToArray();
        _sumWeights = entries[^1];
    }

    /// <summary>The kernels, or null where they cannot run.</summary>
    public static EmittedKernels? Instance => Loaded.Value.Kernels;

    /// <summary>Why there are none; null where there are.</summary>
    public static string? Refusal => Loaded.Value.Refusal;

    // A kernel calls nothing, never blocks, and mostly runs for microseconds, as suppressing the transition requires: a garbage collection
    // has to wait until it returns.

    /// <summary>Multiplies rows of activations with a panel.</summary>
    /// <param name="arguments">The operands; the code writes the accumulators of its rows and channels only.</param>
    /// <param name="rows">1 to <see cref="DotProductEmitter.MaxRows"/>.</param>
    /// <param name="vectors">1 for 16 channels, 2 for 32.</param>
    public void Multiply(TileArguments* arguments, int rows, int vectors) =>
        ((delegate* unmanaged[Cdecl, SuppressGCTransition]<TileArguments*, void>)_products[Index(rows, vectors)])(arguments);

    /// <summary>Multiplies rows of 16-bit activations with the 16-bit weights of 32 channels.</summary>
    /// <param name="arguments">The operands, in the form <see cref="DotProductForm.Words"/>.</param>
    /// <param name="rows">1 to <see cref="DotProductEmitter.MaxRows"/>.</param>
    /// <param name="adds">Whether to add to the accumulators.</param>
    public void MultiplyWords(TileArguments* arguments, int rows, bool adds) =>
        ((delegate* unmanaged[Cdecl, SuppressGCTransition]<TileArguments*, void>)(adds ? _addedWords : _words)[rows - 1])(arguments);

    /// <summary>The epilogue of a tile; see <see cref="TileProduct.Store"/>.</summary>
    [MethodImpl(MethodCompilation.Loops)]
    public void Store(int* tile, int rows, int channels, in PanelEpilogue epilogue, byte* y, long yStride)
    {
        fixed (PanelEpilogue* factors = &epilogue)
        {
            EpilogueArguments arguments = EpilogueArguments.Create(tile, rows, channels, factors, y, yStride);
            (
                (
                    delegate* unmanaged[Cdecl, SuppressGCTransition]<EpilogueArguments*,
                    void>)_epilogues[EpilogueForm.Of(*factors, channels).Index])(&arguments);
        }
    }

    /// <summary>Sums the weights of every channel of a panel; see <see cref="KernelTier.SumWeights"/>.</summary>
    public void SumWeights(sbyte* panel, int groups, int* sums)
    {
        int ones = 0x01010101;
        ((delegate* unmanaged[Cdecl, SuppressGCTransition]<sbyte*, nint, int*, int*, void>)_sumWeights)(panel, groups, sums, &ones);
    }

    /// <summary>Emits and maps the kernels.</summary>
    /// <param name="features">The processor's features.</param>
    /// <param name="map">Makes code executable.</param>
    /// <returns>The kernels, or why there are none.</returns>
    public static (EmittedKernels? Kernels, string? Refusal) Load(ProcessorFeatures features, EmittedCode.MapCode map)
    {
        if (!features.HasAvx512Vnni)
            return (null, "this processor does not have AVX512-VNNI");
        if (!features.HasExtendedControl)
            return (null, UnsavedRegisters);

        byte[][] products = new byte[DotProductEmitter.MaxRows * DotProductEmitter.MaxVectors][];
        for (int rows = 1; rows <= DotProductEmitter.MaxRows; rows++)
        {
            for (int vectors = 1; vectors <= DotProductEmitter.MaxVectors; vectors++)
                products[Index(rows, vectors)] = DotProductEmitter.Emit(rows, vectors);
        }

        nint[]? entries = EmittedCode.TryMap(
            [
                ProcessorFeatures.EmitReadExtendedControl(),
                .. Words(DotProductForm.Words),
                .. Words(DotProductForm.AddedWords),
                .. products,
                .. Enumerable.Range(0, EpilogueForm.Count).Select(static index => EpilogueEmitter.Emit(EpilogueForm.At(index))),
                WeightSumEmitter.Emit(),
            ],
            map,
            out string? refusal);
        if (entries is null)
            return (null, refusal);
        return ProcessorFeatures.SavesAvx512(((delegate* unmanaged[Cdecl]<ulong>)entries[0])())
            ? (new EmittedKernels(entries.AsSpan(1)), null)
            : (null, UnsavedRegisters);
    }

    private static IEnumerable<byte[]> Words(DotProductForm form) =>
        Enumerable.Range(1, DotProductEmitter.MaxRows).Select(rows => DotProductEmitter.Emit(rows, DotProductEmitter.MaxVectors, form));

    private static int Index(int rows, int vectors) => (rows - 1) * DotProductEmitter.MaxVectors + vectors - 1;
}
