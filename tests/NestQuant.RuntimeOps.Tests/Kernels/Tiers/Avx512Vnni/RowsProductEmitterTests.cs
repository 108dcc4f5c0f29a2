using Iced.Intel;
using NestQuant.RuntimeOps.Kernels;
using NestQuant.RuntimeOps.Kernels.Tiers;
using NestQuant.RuntimeOps.Kernels.Tiers.Avx512Vnni;
using NestQuant.RuntimeOps.Packing;
using NestQuant.RuntimeOps.Tests.Kernels.Emission;
using NestQuant.RuntimeOps.Tests.Packing;

namespace NestQuant.RuntimeOps.Tests.Kernels.Tiers.Avx512Vnni;

/// <summary>Products with weights that are never stored, against those with portably decoded weights.</summary>
public unsafe class RowsProductEmitterTests
{
    private const int Channels = KernelTier.TileChannels;

    [Theory]
    [MemberData(nameof(NestedPackerTests.EveryPair), MemberType = typeof(NestedPackerTests))]
    public void Products_equal_those_of_decoded_weights_for_any_bytes(int full, int high)
    {
        NestedBits bits = new(full, high);
        for (int rows = 1; rows <= RowsProductEmitter.MaxRows; rows++)
        {
            foreach (bool isPart in new[] { false, true })
            {
                Check(bits, isPart, rows, blocks: rows, hasWeightSums: false);
                Check(bits, isPart, rows, blocks: 5 - rows, hasWeightSums: true);
            }
        }
    }

    /// <summary>Sums do not saturate in 32 bits, nor do those of both groups of a block in turn.</summary>
    [Theory]
    [InlineData(1, false)]
    [InlineData(4, true)]
    public void The_largest_sums_are_exact(int rows, bool hasWeightSums) =>
        Check(new NestedBits(8, 6), isPart: true, rows, KernelTier.MaxDotLength / NestedLayout.BlockRows, hasWeightSums, isGreatest: true);

    [Theory]
    [MemberData(nameof(NestedPackerTests.EveryPair), MemberType = typeof(NestedPackerTests))]
    public void Code_needs_only_what_the_processor_is_asked_for(int full, int high)
    {
        CpuidFeature[] allowed =
        [
            CpuidFeature.INTEL8086, CpuidFeature.INTEL386, CpuidFeature.X64, CpuidFeature.SSE, CpuidFeature.AVX, CpuidFeature.AVX512F,
            CpuidFeature.AVX512BW, CpuidFeature.AVX512_VNNI,
        ];
        foreach (bool isPart in new[] { false, true })
        {
            IEnumerable<CpuidFeature> needed = Disassembly.Decode(RowsProductEmitter.Emit(new NestedBits(full, high), isPart, 4, true))
                .SelectMany(instruction => instruction.CpuidFeatures);
            Assert.Subset(allowed.ToHashSet(), needed.ToHashSet());
        }
    }

    private static void Check(NestedBits bits, bool isPart, int rows, int blocks, bool hasWeightSums, bool isGreatest = false)
    {
        int length = blocks * NestedLayout.BlockRows, rowStride = length + 3;
        byte[] highBytes = Bytes(blocks * Channels * bits.High, isGreatest ? 0 : null);
        byte[] lowBytes = Bytes(blocks * Channels * bits.LowWidth, isGreatest ? 0 : null);
        byte[] x = Bytes((rows - 1) * rowStride + length, isGreatest ? byte.MaxValue : null);
        sbyte[] weights = new sbyte[blocks * NestedLayout.BlockValues];
        int[] sums = new int[(rows + (hasWeightSums ? 1 : 0)) * Channels];
        EmittedCodeInterpreter code = new(RowsProductEmitter.Emit(bits, isPart, rows, hasWeightSums));
        fixed (byte* highPlanes = highBytes, lowPlanes = lowBytes, activations = x)
        fixed (sbyte* values = weights)
        fixed (int* target = sums)
        {
            LevelOperands operands = new(bits, isPart ? bits.High : bits.Full, (nint)highPlanes, (nint)lowPlanes);
            TierSelection.Portable.DecodeBlocks(operands, blocks, values);
            code.Allow(highPlanes, highBytes.Length);
            if (!isPart)
                code.Allow(lowPlanes, lowBytes.Length);
            code.Allow(activations, x.Length);
            code.Allow(target, sums.Length * sizeof(int), isWritable: true);
            code.Call((ulong)highPlanes, (ulong)operands.Low, (ulong)blocks, (ulong)activations, (ulong)target, (ulong)rowStride);
        }

        int[] expected = new int[sums.Length];
        for (int i = 0; i < length * Channels; i++)
        {
            int k = i / Channels, channel = i % Channels, weight = weights[(k / 4 * Channels + channel) * 4 + k % 4];
            for (int row = 0; row < rows; row++)
                expected[row * Channels + channel] += weight * x[row * rowStride + k];
            if (hasWeightSums)
                expected[rows * Channels + channel] += weight;
        }

        Assert.Equal(expected, sums);
    }

    private static byte[] Bytes(int count, byte? value)
    {
        byte[] bytes = new byte[count];
        if (value is { } all)
            bytes.AsSpan().Fill(all);
        else
            new Random(count).NextBytes(bytes);
        return bytes;
    }
}
