using Iced.Intel;
using NestQuant.RuntimeOps.Kernels.Tiers;
using NestQuant.RuntimeOps.Kernels.Tiers.Avx512Vnni;
using NestQuant.RuntimeOps.Tests.Kernels.Emission;

namespace NestQuant.RuntimeOps.Tests.Kernels.Tiers.Avx512Vnni;

public unsafe class StoringProductEmitterTests
{
    private const int Channels = KernelTier.TileChannels;
    private const byte Untouched = 0xA5;

    public static TheoryData<int> Forms() => EpilogueEmitterTests.Forms();

    [Theory]
    [MemberData(nameof(Forms))]
    public void Both_tiles_are_those_of_the_definition(int index)
    {
        // Fewer and more groups than pairs of rows, one and more chunks, rows that are left over.
        foreach ((int groups, int chunks, int storedRows) in new[]
        {
            (1, 1, 12), (1, 1, 1), (2, 2, 5), (6, 3, 12), (6, 1, 11), (7, 1, 12), (9, 3, 2), (12, 1, 7),
        })
        {
            for (int rows = StoringProductEmitter.LeastRows; rows <= DotProductEmitter.MaxRows; rows++)
                Check(EpilogueForm.At(index), new DotCase(rows, groups, gap: groups % 3, seed: rows + groups, chunks), storedRows);
        }
    }

    [Theory]
    [MemberData(nameof(Forms))]
    public void A_kernel_needs_only_what_the_processor_is_asked_for(int index)
    {
        CpuidFeature[] allowed =
        [
            CpuidFeature.INTEL8086, CpuidFeature.INTEL386, CpuidFeature.X64, CpuidFeature.AVX, CpuidFeature.AVX512F,
            CpuidFeature.AVX512VL, CpuidFeature.AVX512BW, CpuidFeature.AVX512_VNNI,
        ];
        IEnumerable<CpuidFeature> needed = Disassembly.Decode(StoringProductEmitter.Emit(12, EpilogueForm.At(index)))
            .SelectMany(instruction => instruction.CpuidFeatures);
        Assert.Subset(allowed.ToHashSet(), needed.ToHashSet());
    }

    private static void Check(EpilogueForm form, DotCase c, int storedRows)
    {
        Random random = new(c.RowCount * 100 + storedRows);
        int channels = form.IsMasked ? random.Next(1, Channels) : Channels;
        int[] starts = [.. Enumerable.Range(0, Channels).Select(channel => channel * 1001)];
        int[] sums = new int[c.RowCount * Channels];
        int[] storedSums = [.. Enumerable.Range(0, storedRows * Channels).Select(_ => random.Next(-600, 600))];
        PanelEpilogue epilogue = Factors(form, random);
        int stride = Channels * sizeof(float) + 3;
        byte[] expected = [.. Enumerable.Repeat(Untouched, storedRows * stride)];
        byte[] actual = [.. expected];
        EmittedCodeInterpreter code = new(StoringProductEmitter.Emit(c.RowCount, form));
        fixed (byte* rows = c.Rows, reference = expected, y = actual)
        fixed (sbyte* panel = c.Panel)
        fixed (nint* chunks = c.Chunks)
        fixed (int* tile = sums, start = starts, storedTile = storedSums)
        {
            for (int i = 0; i < storedSums.Length; i++)
            {
                if (i % Channels < channels)
                    epilogue.Write(storedSums[i], 0, i % Channels, reference + i / Channels * stride);
            }

            TileArguments arguments = new()
            {
                Rows = rows,
                RowStride = c.RowStride,
                Chunks = chunks,
                EndOfChunks = chunks + c.Chunks.Length,
                ChunkGroups = c.ChunkBytes / 4,
                Panel = panel,
                Tile = tile,
                Start = start,
            };
            EpilogueArguments stored = EpilogueArguments.Create(storedTile, storedRows, channels, &epilogue, y, stride);
            code.Allow(&arguments, sizeof(TileArguments));
            code.Allow(&stored, sizeof(EpilogueArguments), isWritable: true);
            code.Allow(epilogue.Scale, Channels * sizeof(float));
            code.Allow(epilogue.Bias, Channels * sizeof(float));
            code.Allow(chunks, c.Chunks.Length * sizeof(nint));
            code.Allow(start, starts.Length * sizeof(int));
            code.Allow(rows, c.Rows.Length);
            code.Allow(panel, c.Panel.Length);
            code.Allow(tile, sums.Length * sizeof(int), isWritable: true);
            code.Allow(storedTile, storedSums.Length * sizeof(int));
            code.Allow(y, actual.Length, isWritable: true);
            code.Call((ulong)&arguments, (ulong)&stored);
        }

        Assert.Equal(c.Expected().Select((sum, i) => unchecked(sum + starts[i % Channels])), sums);
        Assert.Equal(expected, actual);
    }

    private static PanelEpilogue Factors(EpilogueForm form, Random random)
    {
        int zeroPoint = form.HasZeroPoint ? 97 : 0;
        PanelEpilogue epilogue = new()
        {
            IsQuantized = form.IsQuantized,
            OutputZeroPoint = zeroPoint,
            Least = (form.IsClamped ? 20 : 0) - zeroPoint,
            Greatest = (form.IsClamped ? 230 : 255) - zeroPoint,
        };
        for (int channel = 0; channel < Channels; channel++)
        {
            epilogue.Scale[channel] = random.Next(3) switch { 0 => 0.5f, 1 => random.NextSingle(), _ => 2f };
            epilogue.Bias[channel] = random.Next(2) * (random.NextSingle() - 0.5f);
        }

        return epilogue;
    }
}
