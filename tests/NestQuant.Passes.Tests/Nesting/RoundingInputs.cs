using CsCheck;

namespace NestQuant.Passes.Tests.Nesting;

/// <summary>One channel for adaptive rounding.</summary>
internal sealed record RoundingInput(float[] X, int Taps, int Bits, string Kind)
{
    public int Lo => -(1 << (Bits - 1));

    public int Hi => (1 << (Bits - 1)) - 1;
}

/// <summary>Channels of all shapes whose values are random, or chosen to be hard: ties, halves, saturation, constants.</summary>
internal static class RoundingInputs
{
    public static Gen<RoundingInput> Any { get; } = Of(Gen.Int[1, 49], Gen.Int[1, 24]);

    public static Gen<RoundingInput> OneKernel { get; } = Of(Gen.Int[2, 49], Gen.Const(1));

    private static Gen<RoundingInput> Of(Gen<int> taps, Gen<int> kernels) =>
        from t in taps
        from k in kernels
        from bits in Gen.Int[2, 8]
        from input in Channel(t * k, bits)
        select new RoundingInput(input.Values, t, bits, input.Kind);

    private static Gen<(string Kind, float[] Values)> Channel(int length, int bits)
    {
        int lo = -(1 << (bits - 1)), hi = (1 << (bits - 1)) - 1;
        Gen<float> uniform = Gen.Float[lo - 0.5f, hi + 0.5f];
        return Gen.OneOf(
            Gen.Float.Unit.Array[length].Select(x => ("uniform", Array.ConvertAll(x, u => lo - 0.5f + (u * (hi - lo + 1))))),
            uniform.Array[length].Select(static x => ("all exponents", x)),
            Gen.Float[-0.6f, 0.6f].Array[length].Select(static x => ("small", x)),
            Gen.Select(
                Gen.Int[1, 6],
                Gen.Int[lo * 64, (hi * 64) + 63].Array[length],
                static (shift, x) => ("ties", Array.ConvertAll(x, v => MathF.Floor(v / 64f * (1 << shift)) / (1 << shift)))),
            Gen.Int[lo, hi - 1].Array[length].Select(static x => ("halves", Array.ConvertAll(x, static v => v + 0.5f))),
            Gen.OneOf(lo - 0.5f, lo - 0.25f, lo, lo + 0.25f, lo + 0.5f, hi - 0.5f, hi - 0.25f, hi, hi + 0.25f, hi + 0.5f)
                .Array[length]
                .Select(static x => ("saturated", x)),
            uniform.Select(x => ("constant", Enumerable.Repeat(x, length).ToArray())),
            Gen.Int[lo, hi].Array[length].Select(static x => ("exact", Array.ConvertAll(x, static v => (float)v))),
            Gen.OneOf(uniform, Gen.Int[lo, hi - 1].Select(static v => v + 0.5f), Gen.Const((float)hi), Gen.Const(0f))
                .Array[length]
                .Select(static x => ("mixed", x)));
    }
}
