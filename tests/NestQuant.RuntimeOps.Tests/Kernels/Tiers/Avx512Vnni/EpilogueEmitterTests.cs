using CsCheck;
using NestQuant.RuntimeOps.Kernels.Convolutions;
using NestQuant.RuntimeOps.Kernels.Tiers;
using NestQuant.RuntimeOps.Kernels.Tiers.Avx512Vnni;

namespace NestQuant.RuntimeOps.Tests.Kernels.Tiers.Avx512Vnni;

public unsafe class EpilogueEmitterTests
{
    private const int Channels = KernelTier.TileChannels;
    private const byte Untouched = 0xA5;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Results_are_those_of_the_reference_and_nothing_else_is_written(bool isQuantized) =>
        Gen.Select(Gen.Int[1, 5], Gen.Int[1, Channels], Gen.Int[0, 255], Gen.Int[0, 255], Gen.Int[0, 255], Gen.Int).Sample(
            (rows, channels, zeroPoint, bound, otherBound, seed) =>
                Check(
                    isQuantized,
                    rows,
                    channels,
                    new Requantization(1, zeroPoint, Math.Min(bound, otherBound), Math.Max(bound, otherBound)),
                    seed),
            iter: 200);

    private static void Check(bool isQuantized, int rows, int channels, Requantization requantization, int seed)
    {
        Random random = new(seed);
        int[] sums = new int[rows * Channels];

        // Halves, small results, and such as are far outside of any bounds but fit in 32 bits.
        for (int i = 0; i < sums.Length; i++)
            sums[i] = random.Next(8) == 0 ? random.Next(-(1 << 29), 1 << 29) : random.Next(-600, 600);
        PanelEpilogue epilogue = new()
        {
            IsQuantized = isQuantized,
            OutputZeroPoint = requantization.ZeroPoint,
            Least = requantization.ClampMin - requantization.ZeroPoint,
            Greatest = requantization.ClampMax - requantization.ZeroPoint,
        };
        for (int channel = 0; channel < Channels; channel++)
        {
            epilogue.Scale[channel] = random.Next(3) switch { 0 => 0.5f, 1 => random.NextSingle(), _ => 2f };
            epilogue.Bias[channel] = random.Next(2) * (random.NextSingle() - 0.5f);
        }

        int stride = Channels * sizeof(float) + 3;
        byte[] expected = new byte[rows * stride];
        expected.AsSpan().Fill(Untouched);
        byte[] actual = [.. expected];
        EmittedCodeInterpreter code = new(EpilogueEmitter.Emit(isQuantized));
        fixed (int* tile = sums)
        fixed (byte* reference = expected, y = actual)
        {
            for (int row = 0; row < rows; row++)
            {
                for (int channel = 0; channel < channels; channel++)
                    epilogue.Write(tile[row * Channels + channel], 0, channel, reference + row * stride);
            }

            EpilogueArguments arguments = EpilogueArguments.Create(tile, rows, channels, &epilogue, y, stride);
            code.Allow(&arguments, sizeof(EpilogueArguments));
            code.Allow(epilogue.Scale, Channels * sizeof(float));
            code.Allow(epilogue.Bias, Channels * sizeof(float));
            code.Allow(tile, sums.Length * sizeof(int));
            code.Allow(y, actual.Length, isWritable: true);
            code.Call((ulong)&arguments);
        }

        Assert.Equal(expected, actual);
    }
}
