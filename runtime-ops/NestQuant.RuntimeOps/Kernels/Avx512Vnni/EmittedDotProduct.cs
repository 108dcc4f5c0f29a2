using NestQuant.RuntimeOps.Kernels.Emission;

namespace NestQuant.RuntimeOps.Kernels.Avx512Vnni;

/// <summary>The emitted kernels of this process, one for each number of rows and weight registers.</summary>
internal sealed unsafe class EmittedDotProduct
{
    private const int EntryAlignment = 64;
    private const string UnsavedRegisters = "the operating system does not save the registers of AVX-512";

    private static readonly Lazy<(EmittedDotProduct? Kernels, string? Refusal)> Loaded = new(() => Load(ProcessorFeatures.Read(), ExecutableMemory.TryMap));

    private readonly nint[] _kernels;

    private EmittedDotProduct(nint[] kernels) => _kernels = kernels;

    /// <summary>Makes code executable; see <see cref="ExecutableMemory.TryMap"/>.</summary>
    public delegate byte* MapCode(ReadOnlySpan<byte> code, out string? refusal);

    /// <summary>The kernels, or null where they cannot run.</summary>
    public static EmittedDotProduct? Instance => Loaded.Value.Kernels;

    /// <summary>Why there are none; null where there are.</summary>
    public static string? Refusal => Loaded.Value.Refusal;

    /// <summary>Multiplies rows of activations with a decoded panel.</summary>
    /// <param name="rows">rowCount rows of 4 * groups activations.</param>
    /// <param name="rowStride">Bytes from one row to the next.</param>
    /// <param name="rowCount">1 to <see cref="DotProductEmitter.MaxRows"/>.</param>
    /// <param name="panel">The decoded panel, <c>[k/4][channel 32][4]</c>.</param>
    /// <param name="groups">Groups of 4 rows of k.</param>
    /// <param name="firstChannel">First channel wanted.</param>
    /// <param name="endChannel">Channel after the last one wanted, at most 32.</param>
    /// <param name="tile">
    /// Receives the sums modulo 2^32, <c>[row][channel 32]</c>; channels that were not asked for are undefined, further rows are not written.
    /// </param>
    public void Multiply(byte* rows, nint rowStride, int rowCount, sbyte* panel, int groups, int firstChannel, int endChannel, int* tile)
    {
        // In bounds: the vectors from the one of the first channel to the one of the last lie in the panel and in the tile's rows.
        int firstVector = firstChannel / DotProductEmitter.VectorChannels;
        int vectors = (endChannel - 1) / DotProductEmitter.VectorChannels + 1 - firstVector;
        int channel = firstVector * DotProductEmitter.VectorChannels;

        // A kernel runs for microseconds, calls nothing and blocks on nothing, which is what leaving out the transition asks for.
        var kernel = (delegate* unmanaged[Cdecl, SuppressGCTransition]<byte*, nint, sbyte*, nint, int*, void>)_kernels[Index(rowCount, vectors)];
        kernel(rows, rowStride, panel + channel * 4, groups, tile + channel);
    }

    /// <summary>Emits and maps the kernels.</summary>
    /// <param name="features">The processor's features.</param>
    /// <param name="map">Makes code executable.</param>
    /// <returns>The kernels, or why there are none.</returns>
    public static (EmittedDotProduct? Kernels, string? Refusal) Load(ProcessorFeatures features, MapCode map)
    {
        if (!features.HasAvx512Vnni)
            return (null, "this processor does not have AVX512-VNNI");
        if (!features.HasExtendedControl)
            return (null, UnsavedRegisters);

        List<byte> code = [.. ProcessorFeatures.EmitReadExtendedControl()];
        int[] offsets = new int[DotProductEmitter.MaxRows * DotProductEmitter.MaxVectors];
        for (int rows = 1; rows <= DotProductEmitter.MaxRows; rows++)
        {
            for (int vectors = 1; vectors <= DotProductEmitter.MaxVectors; vectors++)
            {
                code.AddRange(new byte[(EntryAlignment - code.Count % EntryAlignment) % EntryAlignment]);
                offsets[Index(rows, vectors)] = code.Count;
                code.AddRange(DotProductEmitter.Emit(rows, vectors));
            }
        }

        byte* memory = map([.. code], out string? refusal);
        if (memory == null)
            return (null, refusal);
        if (!ProcessorFeatures.SavesAvx512(((delegate* unmanaged[Cdecl]<ulong>)memory)()))
            return (null, UnsavedRegisters);
        return (new EmittedDotProduct([.. offsets.Select(offset => (nint)(memory + offset))]), null);
    }

    private static int Index(int rows, int vectors) => (rows - 1) * DotProductEmitter.MaxVectors + vectors - 1;
}
