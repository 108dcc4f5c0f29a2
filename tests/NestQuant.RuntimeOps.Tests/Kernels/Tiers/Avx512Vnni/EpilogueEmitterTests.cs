using CsCheck;
using NestQuant.RuntimeOps.Kernels.Convolutions;
using NestQuant.RuntimeOps.Kernels.Tiers;
using NestQuant.RuntimeOps.Kernels.Tiers.Avx512Vnni;

namespace NestQuant.RuntimeOps.Tests.Kernels.Tiers.Avx512Vnni;

public unsafe class EpilogueEmitterTests
{
    private const int Channels = KernelTier.TileChannels;
    private const byte Untouched = 0xA5;

    public static TheoryData<int> Forms() => [.. Enumerable.Range(0, EpilogueForm.Count)];

    [Theory]
    [MemberData(nameof(Forms))]
    public void Results_are_those_of_the_reference_and_nothing_else_is_written(int index)
    {
        EpilogueForm form = EpilogueForm.At(index);
        Gen.Select(Gen.Int[1, 5], Gen.Int[1, Channels - 1], Gen.Int[1, 255], Gen.Int[0, 255], Gen.Int[0, 254], Gen.Int).Sample(
            (rows, channels, zeroPoint, bound, otherBound, seed) => Check(
                form,
                rows,
                form.IsMasked ? channels : Channels,
                new Requantization(
                    1,
                    form.HasZeroPoint ? zeroPoint : 0,
                    form.IsClamped ? Math.Min(bound, otherBound) : 0,
                    form.IsClamped ? Math.Max(bound, otherBound) : 255),
                seed),
            iter: 100);
    }

    [Fact]
    public void A_number_stands_for_each_form()
    {
        EpilogueForm[] forms = [.. Enumerable.Range(0, EpilogueForm.Count).Select(EpilogueForm.At)];
        Assert.Equal(Enumerable.Range(0, forms.Length), forms.Select(static form => form.Index));
        Assert.Equal(forms.Length, forms.Distinct().Count());
    }

    private static void Check(EpilogueForm form, int rows, int channels, Requantization requantization, int seed)
    {
        Random random = new(seed);
        int[] sums = new int[rows * Channels];

        // Halves, small results, and such as are far outside of any bounds but fit in 32 bits.
        for (int i = 0; i < sums.Length; i++)
            sums[i] = random.Next(8) == 0 ? random.Next(-(1 << 29), 1 << 29) : random.Next(-600, 600);
        PanelEpilogue epilogue = new()
        {
            IsQuantized = form.IsQuantized,
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

        // Code that clamps is right for the bounds of bytes, too.
        Assert.Equal(form, EpilogueForm.Of(epilogue, channels) with { IsClamped = form.IsClamped });
        Assert.True(form.IsClamped || !EpilogueForm.Of(epilogue, channels).IsClamped);

        EmittedCodeInterpreter code = new(EpilogueEmitter.Emit(form));
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
