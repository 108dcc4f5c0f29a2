using Iced.Intel;
using NestQuant.RuntimeOps.Kernels.Tiers;
using NestQuant.RuntimeOps.Kernels.Tiers.Avx512Vnni;
using NestQuant.RuntimeOps.Tests.Kernels.Convolutions.Winograd;
using NestQuant.RuntimeOps.Tests.Kernels.Emission;

namespace NestQuant.RuntimeOps.Tests.Kernels.Tiers.Avx512Vnni;

public unsafe class WordProductEmitterTests
{
    // The largest magnitudes of transformed activations and weights.
    private const int MostActivation = 98 * 255;
    private const int MostWeight = 225 * 128;

    private const int Channels = KernelTier.TileChannels;

    public static TheoryData<int, bool> Kernels()
    {
        TheoryData<int, bool> kernels = [];
        for (int rows = 1; rows <= DotProductEmitter.MaxRows; rows++)
        {
            kernels.Add(rows, false);
            kernels.Add(rows, true);
        }

        return kernels;
    }

    [Theory]
    [MemberData(nameof(Kernels))]
    public void A_kernel_gives_the_exact_sums_within_its_memory(int rows, bool adds)
    {
        foreach (int pairs in new[] { 1, 2, 3, 4, 5, 7, 8, 9, 12, 31 })
        {
            Random random = new(pairs * 100 + rows);
            Check(rows, pairs, gap: pairs % 3 * 5, adds, most => random.Next(-most, most + 1));
        }
    }

    [Theory]
    [MemberData(nameof(Kernels))]
    public void The_largest_products_wrap_and_do_not_saturate(int rows, bool adds)
    {
        Random random = new(rows);
        Check(rows, 64, gap: 0, adds, static most => most);
        Check(rows, 64, gap: 0, adds, static most => most == MostWeight ? -most : most);
        Check(rows, 5, gap: 0, adds, most => random.Next(2) == 0 ? most : -most);
        Check(rows, 1, gap: 0, adds, static _ => short.MinValue);
    }

    [Theory]
    [MemberData(nameof(Kernels))]
    public void A_kernel_needs_only_what_the_processor_is_asked_for(int rows, bool adds)
    {
        CpuidFeature[] allowed =
        [
            CpuidFeature.INTEL8086, CpuidFeature.INTEL386, CpuidFeature.X64, CpuidFeature.AVX, CpuidFeature.AVX512F,
            CpuidFeature.AVX512_VNNI,
        ];
        Assert.Subset(allowed.ToHashSet(), Disassembly.Decode(Emit(rows, adds)).SelectMany(i => i.CpuidFeatures).ToHashSet());
    }

    [SkippableTheory]
    [InlineData(1, false)]
    [InlineData(12, true)]
    [InlineData(13, false)]
    [InlineData(49, true)]
    public void The_processor_gives_the_exact_sums(int rows, bool adds)
    {
        Skip.If(EmittedKernels.Instance is null, $"emitted kernels cannot run here: {EmittedKernels.Refusal}");
        const int pairs = 70, stride = 2 * pairs + 6;
        Random random = new(rows);
        short[] x = [.. Enumerable.Range(0, rows * stride).Select(_ => (short)random.Next(-MostActivation, MostActivation + 1))];
        short[] strip = [.. Enumerable.Range(0, pairs * Channels * 2).Select(_ => (short)random.Next(-MostWeight, MostWeight + 1))];
        int[] tile = [.. Enumerable.Range(0, rows * WinogradProduct.TileDistance).Select(static i => i * 1_000_003)];
        int[] expected = [.. tile];
        fixed (short* activations = x, weights = strip)
        fixed (int* sums = tile, definition = expected)
        {
            new WordProduct(EmittedKernels.Instance!).Multiply(activations, stride, rows, weights, pairs, sums, adds);
            new PlainWordProduct().Multiply(activations, stride, rows, weights, pairs, definition, adds);
        }

        Assert.Equal(expected, tile);
    }

    private static byte[] Emit(int rows, bool adds) =>
        DotProductEmitter.Emit(rows, DotProductEmitter.MaxVectors, adds ? DotProductForm.AddedWords : DotProductForm.Words);

    /// <param name="rows">Rows.</param>
    /// <param name="pairs">Pairs of values of a row.</param>
    /// <param name="gap">Values between rows.</param>
    /// <param name="adds">Whether the kernel adds.</param>
    /// <param name="value">A value for a largest magnitude.</param>
    private static void Check(int rows, int pairs, int gap, bool adds, Func<int, int> value)
    {
        int stride = 2 * pairs + gap;
        short[] x = [.. Enumerable.Range(0, (rows - 1) * stride + 2 * pairs).Select(_ => (short)value(MostActivation))];
        short[] strip = [.. Enumerable.Range(0, pairs * Channels * 2).Select(_ => (short)value(MostWeight))];
        int[] tile = [.. Enumerable.Range(0, (rows - 1) * WinogradProduct.TileDistance + Channels).Select(static i => i * 1_000_003)];
        int[] expected = [.. tile];
        EmittedCodeInterpreter code = new(Emit(rows, adds));
        fixed (short* activations = x, weights = strip)
        fixed (int* sums = tile, definition = expected)
        {
            new PlainWordProduct().Multiply(activations, stride, rows, weights, pairs, definition, adds);
            nint start = 0;
            TileArguments arguments = new()
            {
                Rows = (byte*)activations,
                RowStride = stride * sizeof(short),
                Chunks = &start,
                EndOfChunks = &start + 1,
                ChunkGroups = pairs,
                Panel = (sbyte*)weights,
                Tile = sums,
            };
            code.Allow(&arguments, sizeof(TileArguments));
            code.Allow(&start, sizeof(nint));
            code.Allow(activations, x.Length * sizeof(short));
            code.Allow(weights, strip.Length * sizeof(short));
            for (int row = 0; row < rows; row++)
                code.Allow(sums + row * WinogradProduct.TileDistance, Channels * sizeof(int), isWritable: true);
            code.Call((ulong)&arguments);
        }

        Assert.Equal(expected, tile);
    }
}
