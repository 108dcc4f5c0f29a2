using System.Text.Json;
using NestQuant.Passes.Nesting;
using NestQuant.RuntimeOps.Packing;

namespace NestQuant.Passes.Tests.Nesting;

/// <summary>
/// The integers of the released NestQuant code, bit for bit: Vectors/ holds its inputs and outputs for affine weights, with the
/// variants "adaptive" (flipping in both stages), "rtn_high" (flipping, then nearest) and "rtn_all" (nearest in both).
/// More of them are read from ../shared/assets/nest-vectors where that folder exists.
/// </summary>
public sealed class ReferenceVectorTests
{
    public static TheoryData<string> CheckedIn => FilesIn(Path.Combine(AppContext.BaseDirectory, "Nesting", "Vectors"));

    [Theory]
    [MemberData(nameof(CheckedIn))]
    public void CheckedInVectorsAreReproduced(string path) => Assert.True(CompareFile(path) >= 3 * 7);

    [SkippableFact]
    public void LargerVectorsAreReproduced()
    {
        string? folder = SharedAssets.Find("nest-vectors/open");
        Skip.If(folder is null, "../shared/assets/nest-vectors is not there");
        int compared = 0;
        foreach (string path in FilesIn(folder!)) compared += CompareFile(path);
        Assert.Equal(11 * 3 * 7, compared);
    }

    private static TheoryData<string> FilesIn(string folder)
    {
        var files = new TheoryData<string>();
        foreach (string path in Directory.EnumerateFiles(folder, "*.json").Order(StringComparer.Ordinal))
            if (Path.GetFileName(path) != "pack-bits.json") files.Add(path);
        return files;
    }

    private static int CompareFile(string path)
    {
        using JsonDocument file = JsonDocument.Parse(File.ReadAllText(path));
        JsonElement root = file.RootElement;
        int[] shape = Integers(root.GetProperty("shape"));
        float[] weights = Floats(root.GetProperty("weight"));
        int taps = shape.Length > 2 ? shape[2] * shape[3] : 1;
        int compared = 0;
        foreach (JsonElement nest in root.GetProperty("nest").EnumerateArray())
        {
            var bits = new NestedBits(nest.GetProperty("wbit").GetInt32(), nest.GetProperty("nestbit").GetInt32());
            ChannelScale[] scales = ReferenceScales(root, bits.Full);
            foreach ((string variant, WeightRounding full, WeightRounding high) in Variants)
            {
                var options = new WeightQuantization(bits, WeightScheme.Affine, full, high);
                JsonElement expected = nest.GetProperty(variant);
                (sbyte[] actualHigh, sbyte[] actualLow) = Nest(weights, shape[0], taps, options, scales);
                Assert.Equal(Integers(expected.GetProperty("quant_high_int")), Array.ConvertAll(actualHigh, static v => (int)v));
                Assert.Equal(Integers(expected.GetProperty("quant_low_int")), Array.ConvertAll(actualLow, static v => (int)v));
                compared++;
            }

            AssertScales(weights, scales, bits.Full);
        }

        return compared;
    }

    private static readonly (string Variant, WeightRounding Full, WeightRounding High)[] Variants =
    [
        ("adaptive", WeightRounding.Adaptive, WeightRounding.Adaptive),
        ("rtn_high", WeightRounding.Adaptive, WeightRounding.Nearest),
        ("rtn_all", WeightRounding.Nearest, WeightRounding.Nearest),
    ];

    private static (sbyte[] High, sbyte[] Low) Nest(
        float[] weights, int channels, int taps, WeightQuantization options, ChannelScale[] scales)
    {
        int length = weights.Length / channels;
        var nester = new ChannelNester(options, length);
        var integers = new sbyte[length];
        var high = new sbyte[weights.Length];
        var low = new sbyte[weights.Length];
        for (int m = 0; m < channels; m++)
        {
            nester.Quantize(weights.AsSpan(m * length, length), taps, scales[m], integers);
            nester.Split(integers, taps, level: 1, high.AsSpan(m * length, length));
            for (int i = 0; i < length; i++)
                low[(m * length) + i] = (sbyte)(integers[i] - (high[(m * length) + i] << options.Bits.Shift));
        }

        return (high, low);
    }

    /// <summary>Our scales are the reference's, except where its offset cannot be represented: there ours is widened.</summary>
    private static void AssertScales(float[] weights, ChannelScale[] expected, int bits)
    {
        int length = weights.Length / expected.Length;
        for (int m = 0; m < expected.Length; m++)
        {
            ChannelScale actual = ChannelScale.Affine(weights.AsSpan(m * length, length), bits);
            if (MathF.Abs(expected[m].Offset) <= ChannelScale.LargestOffset) Assert.Equal(expected[m], actual);
            else Assert.True(MathF.Abs(actual.Offset) <= ChannelScale.LargestOffset);
        }
    }

    private static ChannelScale[] ReferenceScales(JsonElement root, int bits)
    {
        JsonElement quant = root.GetProperty("quant").EnumerateArray().Single(q => q.GetProperty("wbit").GetInt32() == bits);
        return Floats(quant.GetProperty("scale"))
            .Zip(Floats(quant.GetProperty("zero_point")), static (s, z) => new ChannelScale(s, z))
            .ToArray();
    }

    private static int[] Integers(JsonElement array) => array.EnumerateArray().Select(static v => v.GetInt32()).ToArray();

    private static float[] Floats(JsonElement array) => array.EnumerateArray().Select(static v => v.GetSingle()).ToArray();
}
