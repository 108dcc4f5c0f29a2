using Iced.Intel;
using NestQuant.RuntimeOps.Kernels.Tiers;
using NestQuant.RuntimeOps.Kernels.Tiers.Avx512Vnni;
using NestQuant.RuntimeOps.Tests.Kernels.Emission;
using Snapshooter.Xunit;

namespace NestQuant.RuntimeOps.Tests.Kernels.Tiers.Avx512Vnni;

public unsafe class DotProductEmitterTests
{
    public static TheoryData<int, int> Kernels()
    {
        TheoryData<int, int> kernels = [];
        for (int rows = 1; rows <= DotProductEmitter.MaxRows; rows++)
        {
            for (int vectors = 1; vectors <= DotProductEmitter.MaxVectors; vectors++)
                kernels.Add(rows, vectors);
        }

        return kernels;
    }

    [Theory]
    [MemberData(nameof(Kernels))]
    public void A_kernel_gives_the_exact_sums_within_its_memory(int rows, int vectors)
    {
        foreach (int groups in new[] { 1, 2, 3, 4, 5, 7, 8, 9, 12, 31 })
        {
            Check(new DotCase(rows, groups, gap: groups % 3 * 5, seed: groups * 100 + rows), vectors);
            Check(new DotCase(rows, 3 * groups, gap: groups % 3 * 5, seed: groups * 100 + rows, chunks: 3), vectors);
        }
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 2)]
    public void The_largest_sums_do_not_saturate(int rows, int vectors) =>
        Check(new DotCase(rows, KernelTier.MaxDotLength / 4, gap: 0, seed: -1), vectors);

    [Theory]
    [MemberData(nameof(Kernels))]
    public void A_kernel_needs_only_what_the_processor_is_asked_for(int rows, int vectors)
    {
        CpuidFeature[] allowed =
        [
            CpuidFeature.INTEL8086, CpuidFeature.INTEL386, CpuidFeature.X64, CpuidFeature.AVX, CpuidFeature.AVX512F,
            CpuidFeature.AVX512_VNNI,
        ];
        IEnumerable<CpuidFeature> needed = Disassembly.Decode(DotProductEmitter.Emit(rows, vectors))
            .SelectMany(instruction => instruction.CpuidFeatures);
        Assert.Subset(allowed.ToHashSet(), needed.ToHashSet());
    }

    [Fact]
    public void Four_rows_by_32_channels_are_these_instructions() =>
        string.Join('\n', Disassembly.Print(DotProductEmitter.Emit(4, 2))).MatchSnapshot();

    private static void Check(DotCase c, int vectors)
    {
        // The tile starts at channel 0 or, for one vector, also at 16; what the kernel is not asked for stays as it was.
        const int untouched = int.MinValue / 3;
        int[] starts = [.. Enumerable.Range(0, KernelTier.TileChannels).Select(channel => channel * 1001)];
        int[] expected = [.. c.Expected().Select((sum, i) => unchecked(sum + starts[i % KernelTier.TileChannels]))];
        for (int firstVector = 0; firstVector + vectors <= DotProductEmitter.MaxVectors; firstVector++)
        {
            int first = firstVector * DotProductEmitter.VectorChannels;
            int end = first + vectors * DotProductEmitter.VectorChannels;
            int[] tile = new int[expected.Length];
            tile.AsSpan().Fill(untouched);
            EmittedCodeInterpreter code = new(DotProductEmitter.Emit(c.RowCount, vectors));
            fixed (byte* rows = c.Rows)
            fixed (sbyte* panel = c.Panel)
            fixed (nint* chunks = c.Chunks)
            fixed (int* sums = tile, start = starts)
            {
                TileArguments arguments = new()
                {
                    Rows = rows,
                    RowStride = c.RowStride,
                    Chunks = chunks,
                    EndOfChunks = chunks + c.Chunks.Length,
                    ChunkGroups = c.ChunkBytes / 4,
                    Panel = panel + first * 4,
                    Tile = sums + first,
                    Start = start + first,
                };
                code.Allow(&arguments, sizeof(TileArguments));
                code.Allow(chunks, c.Chunks.Length * sizeof(nint));
                code.Allow(start, starts.Length * sizeof(int));
                code.Allow(rows, c.Rows.Length);
                code.Allow(panel, c.Panel.Length);
                code.Allow(sums, tile.Length * sizeof(int), isWritable: true);
                code.Call((ulong)&arguments);
            }

            Assert.Equal(
                expected.Select((sum, i) => i % KernelTier.TileChannels >= first && i % KernelTier.TileChannels < end ? sum : untouched),
                tile);
        }
    }
}
