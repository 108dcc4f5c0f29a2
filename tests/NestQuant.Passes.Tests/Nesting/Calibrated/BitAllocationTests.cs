using CsCheck;
using NestQuant.Passes.Nesting.Calibrated;

namespace NestQuant.Passes.Tests.Nesting.Calibrated;

/// <summary>Bits go where they lower the error most per byte.</summary>
public sealed class BitAllocationTests
{
    private static readonly Gen<BitChoice[][]> Layers =
        (from count in Gen.Int[1, 5]
         from bytes in Gen.Int[1, 50].Array[count]
         from errors in Gen.Double[0, 1].Array[count]
         select Enumerable.Range(0, count).Select(i => new BitChoice(i + 2, bytes.Take(i + 1).Sum(), errors[i])).ToArray()).Array[0, 6];

    [Fact]
    public void NoBudgetIsExceededAndEveryStepIsAGain() => Gen.Select(Layers, Gen.Long[0, 600], Gen.Double[0, 2]).Sample(
        static (layers, most, enough) =>
        {
            var chosen = BitAllocation.Choose(layers, most, enough);
            (long Bytes, double Error)[] curve = [.. chosen.Curve];

            Assert.Equal(layers.Sum(static choices => choices[0].Bytes), curve[0].Bytes);
            Assert.All(curve.Skip(1), point => Assert.True(point.Bytes <= most));
            Assert.All(curve.SkipLast(1), point => Assert.True(point.Error > enough));
            for (int i = 1; i < curve.Length; i++)
                Assert.True(curve[i].Bytes > curve[i - 1].Bytes && curve[i].Error <= curve[i - 1].Error);
            Assert.Equal(chosen.Chosen.Sum(static choice => choice.Bytes), curve[^1].Bytes);
            Assert.Equal(curve, BitAllocation.Choose(layers, most, enough).Curve);
        });

    /// <summary>It ends only where the error is small enough, or nothing that fits is left to gain.</summary>
    [Fact]
    public void NothingThatFitsIsLeft() => Gen.Select(Layers, Gen.Long[0, 600], Gen.Double[0, 2]).Sample(
        static (layers, most, enough) =>
        {
            var chosen = BitAllocation.Choose(layers, most, enough);
            if (chosen.Curve[^1].Error <= enough) return;
            long room = most - chosen.Curve[^1].Bytes;
            for (int layer = 0; layer < layers.Length; layer++)
            {
                BitChoice now = chosen.Chosen[layer];
                Assert.DoesNotContain(
                    layers[layer], next => next.Bits > now.Bits && next.Error < now.Error && next.Bytes - now.Bytes <= room);
            }
        });

    [Fact]
    public void TheBestGainPerByteComesFirstAndTheFirstOfEqualOnes()
    {
        BitChoice[] cheap = [new(2, 10, 0.5), new(3, 20, 0.3)], dear = [new(2, 10, 0.9), new(3, 50, 0.5)];

        Assert.Equal([3, 2, 2], Bits(30 + 10, cheap, dear, cheap));
        Assert.Equal([3, 2, 3], Bits(30 + 20, cheap, dear, cheap));
        // Two steps at once where the first alone gains nothing.
        Assert.Equal([4], Bits(100, [[new(2, 10, 0.5), new(3, 20, 0.6), new(4, 30, 0.1)]]));
    }

    private static IEnumerable<int> Bits(long most, params BitChoice[][] layers) =>
        BitAllocation.Choose(layers, most, 0).Chosen.Select(static choice => choice.Bits);
}
