using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using NestQuant.RuntimeOps.Kernels.Emission;

namespace NestQuant.RuntimeOps.Kernels.Tiers.Avx512Vnni;

/// <summary>The emitted strip kernels of this process.</summary>
internal sealed unsafe class EmittedStrips : StripKernel
{
    /// <summary>Offset, in a <see cref="PanelEpilogue"/>, of its scales.</summary>
    public const int ScaleAt = 0;

    /// <summary>Offset, in a <see cref="PanelEpilogue"/>, of its biases.</summary>
    public const int BiasAt = 1 * PanelBytes;

    /// <summary>Offset, in a <see cref="PanelEpilogue"/>, of the centering, which is subtracted.</summary>
    public const int CenteringAt = 3 * PanelBytes;

    /// <summary>Offset, in <see cref="StripArguments"/>, of the address of the tables.</summary>
    public const int TablesAt = StripArguments.KernelAt;

    /// <summary>Offset, in <see cref="StripArguments"/>, of the output's zero point, twice in 16 bits.</summary>
    public const int ZeroPointsAt = TablesAt + sizeof(long);

    /// <summary>Offset, in <see cref="StripArguments"/>, of the least result, four times in 8 bits.</summary>
    public const int LeastBytesAt = ZeroPointsAt + sizeof(int);

    /// <summary>Offset, in <see cref="StripArguments"/>, of the greatest result, four times in 8 bits.</summary>
    public const int GreatestBytesAt = LeastBytesAt + sizeof(int);

    /// <summary>Offset, in <see cref="StripArguments"/>, of one bit per channel.</summary>
    public const int MaskAt = GreatestBytesAt + sizeof(long);

    /// <summary>Offset, in <see cref="StripArguments"/>, of the bits of channels 16 and up.</summary>
    public const int HighMaskAt = MaskAt + sizeof(long);

    /// <summary>Offset, in <see cref="StripArguments"/>, of the next output's address.</summary>
    public const int CurrentYAt = HighMaskAt + sizeof(long);

    /// <summary>Offset, in <see cref="StripArguments"/>, of the remaining columns.</summary>
    public const int ColumnsLeftAt = CurrentYAt + sizeof(long);

    /// <summary>Offset, in the tables, of the source positions of channels 0 to 15 for interleaving lines.</summary>
    public const int FirstOrderAt = 0;

    /// <summary>Offset, in the tables, of the source positions of channels 16 to 31.</summary>
    public const int SecondOrderAt = 64;

    /// <summary>Offset, in the tables, of the order of bytes that transposes four by four.</summary>
    public const int ByteOrderAt = 128;

    /// <summary>Offset, in the tables, of the order of fours of packed channels.</summary>
    public const int PackOrderAt = 192;

    private const int PanelBytes = KernelTier.TileChannels * sizeof(float);
    private const int TableBytes = 256;
    private const int Kernels = 8;

    private static readonly Lazy<EmittedStrips?> Loaded = new(Load);

    private readonly nint[] _kernels;
    private readonly byte* _tables;

    private EmittedStrips(nint[] kernels, byte* tables)
    {
        _kernels = kernels;
        _tables = tables;
    }

    /// <summary>The kernels, or null where they cannot run.</summary>
    public static EmittedStrips? Instance => Loaded.Value;

    /// <inheritdoc/>
    [MethodImpl(MethodCompilation.Loops)]
    public override void Run(StripArguments* arguments, int linesPerStep)
    {
        Complete(arguments, _tables);
        bool isQuantized = arguments->Epilogue->IsQuantized;
        bool isMasked = arguments->Channels < KernelTier.TileChannels;

        // A kernel calls nothing, never blocks, and mostly runs for microseconds, as suppressing the transition requires: a garbage
        // collection has to wait until it returns.
        (
            (
                delegate* unmanaged[Cdecl, SuppressGCTransition]<StripArguments*,
                void>)_kernels[Index(linesPerStep, isQuantized, isMasked)])(arguments);
    }

    /// <summary>Writes the kernel's own part of the arguments.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Complete(StripArguments* arguments, byte* tables)
    {
        // In bounds: the kernel's own 64 bytes hold all of these.
        byte* fields = (byte*)arguments;
        PanelEpilogue* epilogue = arguments->Epilogue;
        ulong mask = ulong.MaxValue >> (64 - (int)arguments->Channels);
        *(byte**)(fields + TablesAt) = tables;
        *(int*)(fields + ZeroPointsAt) = epilogue->OutputZeroPoint * 0x0001_0001;
        *(int*)(fields + LeastBytesAt) = ((int)epilogue->Least + epilogue->OutputZeroPoint) * 0x0101_0101;
        *(int*)(fields + GreatestBytesAt) = ((int)epilogue->Greatest + epilogue->OutputZeroPoint) * 0x0101_0101;
        *(ulong*)(fields + MaskAt) = mask;
        *(ulong*)(fields + HighMaskAt) = mask >> 16;
    }

    /// <summary>Writes the tables that kernels read.</summary>
    /// <param name="tables">Receives 256 bytes.</param>
    public static void WriteTables(byte* tables)
    {
        // In bounds: four tables of 64 bytes.
        for (int i = 0; i < 16; i++)
        {
            // Two registers of two lines of 32 channels each; each line is 8 words of four channels.
            ((int*)(tables + FirstOrderAt))[i] = i % 4 * 8 + i / 4;
            ((int*)(tables + SecondOrderAt))[i] = i % 4 * 8 + i / 4 + 4;

            // The i-th 16 bytes of a register are words i and i + 4 of two outputs; the result has one output after the other.
            ((int*)(tables + PackOrderAt))[i] = i % 4 * 4 + i / 8 * 2 + i / 4 % 2;
        }

        for (int i = 0; i < 64; i++)
            tables[ByteOrderAt + i] = (byte)(i % 4 * 4 + i / 4 % 4);
    }

    private static int Index(int linesPerStep, bool isQuantized, bool isMasked) =>
        (linesPerStep - 1) * 4 + (isQuantized ? 2 : 0) + (isMasked ? 1 : 0);

    private static EmittedStrips? Load()
    {
        if (EmittedKernels.Instance is null)
            return null;
        byte[][] kernels =
        [
            .. Enumerable.Range(0, Kernels)
                .Select(static index => new StripEmitter(index / 4 + 1, (index & 2) != 0, (index & 1) != 0).Emit())
        ];
        if (EmittedCode.TryMap(kernels, ExecutableMemory.TryMap, out _) is not { } entries)
            return null;
        byte* tables = (byte*)NativeMemory.AlignedAlloc(TableBytes, Alignment);
        WriteTables(tables);
        return new EmittedStrips(entries, tables);
    }
}
