using Iced.Intel;
using NestQuant.RuntimeOps.Kernels.Tiers;
using NestQuant.RuntimeOps.Kernels.Tiers.Amx;
using NestQuant.RuntimeOps.Tests.Kernels.Emission;
using NestQuant.RuntimeOps.Tests.Kernels.Tiers.Avx512Vnni;
using Snapshooter.Xunit;

namespace NestQuant.RuntimeOps.Tests.Kernels.Tiers.Amx;

public unsafe class TileProductEmitterTests
{
    [Theory]
    [InlineData(1, 1)]
    [InlineData(1, 2)]
    [InlineData(2, 1)]
    [InlineData(2, 2)]
    public void A_kernel_gives_the_exact_sums_within_its_memory(int rowTiles, int vectors)
    {
        foreach (int chunkGroups in new[] { 1, 3, 16 })
        {
            foreach (int chunks in new[] { 1, 2, 5 })
            {
                for (int rows = rowTiles == 1 ? 1 : TileProductEmitter.TileRows; rows <= TileProductEmitter.TileRows; rows += 5)
                    Check(
                        new DotCase(rowTiles * rows, chunks * chunkGroups, gap: rows, seed: rows + chunkGroups, chunks), rowTiles, vectors);
            }
        }
    }

    [Fact]
    public void The_largest_sums_do_not_saturate() =>
        Check(new DotCase(1, KernelTier.MaxDotLength / 4, gap: 0, seed: -1, chunks: KernelTier.MaxDotLength / 64), 1, 1);

    [Fact]
    public void A_kernel_needs_only_what_the_processor_is_asked_for()
    {
        CpuidFeature[] allowed =
        [
            CpuidFeature.INTEL8086, CpuidFeature.INTEL386, CpuidFeature.X64, CpuidFeature.AMX_TILE, CpuidFeature.AMX_INT8
        ];
        byte[][] functions = [TileProductEmitter.Emit(2, 2), TileProductEmitter.EmitConfigure(), TileProductEmitter.EmitRelease()];
        IEnumerable<CpuidFeature> needed = functions.SelectMany(Disassembly.Decode).SelectMany(instruction => instruction.CpuidFeatures);
        Assert.Subset(allowed.ToHashSet(), needed.ToHashSet());
    }

    [Fact]
    public void Thirty_two_rows_by_32_channels_are_these_instructions() =>
        string.Join('\n', Disassembly.Print(TileProductEmitter.Emit(2, 2))).MatchSnapshot();

    private static void Check(DotCase c, int rowTiles, int vectors)
    {
        const int untouched = int.MinValue / 3;
        int[] starts = [.. Enumerable.Range(0, KernelTier.TileChannels).Select(channel => channel * -1001)];
        int[] expected = c.Expected();
        int[] tile = new int[expected.Length];
        tile.AsSpan().Fill(untouched);
        int chunkGroups = c.ChunkBytes / 4;
        byte[] shapes = new byte[64];
        TileProductEmitter.TileShapes(c.RowCount / rowTiles, chunkGroups, shapes);
        fixed (byte* rows = c.Rows, configuration = shapes)
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
                ChunkGroups = chunkGroups,
                Panel = panel,
                Tile = sums,
                Start = start,
            };
            EmittedCodeInterpreter code = new(TileProductEmitter.Emit(rowTiles, vectors));
            code.Allow(configuration, shapes.Length);
            code.Call(TileProductEmitter.EmitConfigure(), (ulong)configuration);
            code.Allow(&arguments, sizeof(TileArguments));
            code.Allow(chunks, c.Chunks.Length * sizeof(nint));
            code.Allow(rows, c.Rows.Length);
            code.Allow(panel, c.Panel.Length);
            code.Allow(start, starts.Length * sizeof(int));
            code.Allow(sums, tile.Length * sizeof(int), isWritable: true);
            code.Call((ulong)&arguments);
        }

        Assert.Equal(
            expected.Select(
                (sum, i) =>
                    i % KernelTier.TileChannels < vectors * 16 ? unchecked(sum + starts[i % KernelTier.TileChannels]) : untouched), tile);
    }
}
