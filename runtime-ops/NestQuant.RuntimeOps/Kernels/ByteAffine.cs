using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using NestQuant.RuntimeOps.Kernels.Convolutions;
using NestQuant.RuntimeOps.Kernels.Execution;

namespace NestQuant.RuntimeOps.Kernels;

/// <summary>
/// An affine function of every channel of a tensor of bytes, PRelu of it, and requantization. Every float operation is rounded once, and
/// none is fused, so that vectors of any width give the bits of <see cref="Value"/>.
/// </summary>
internal sealed unsafe class ByteAffine
{
    private const int BytesPerPart = 64 * 1024;
    private const int Step = 8;

    // In the sum of this and a float below 2^22 the last mantissa bit counts ones, so that the addition rounds half to even.
    private const float RoundingOffset = 3 << 22;

    private readonly byte* _x;
    private readonly byte* _y;
    private readonly int _xZeroPoint;
    private readonly AffineFactors _factors;
    private readonly Requantization _result;
    private readonly long _count;
    private readonly long _inner;
    private readonly long _part;

    private ByteAffine(byte* x, int xZeroPoint, in AffineFactors factors, Requantization result, byte* y, long outer, long inner)
    {
        _x = x;
        _y = y;
        _xZeroPoint = xZeroPoint;
        _factors = factors;
        _result = result;
        _inner = inner;
        // Runs of channels, where they are the last axis, or runs of positions of one channel.
        long run = inner == 1 ? factors.Channels : inner;
        _count = outer * factors.Channels * inner;
        _part = Math.Max(1, BytesPerPart / Math.Max(1, run)) * run;
    }

    /// <summary>Computes y.</summary>
    /// <param name="x"><c>[outer][channel][inner]</c>.</param>
    /// <param name="xZeroPoint">Its zero point.</param>
    /// <param name="factors">The factors, usable ones.</param>
    /// <param name="result">How results become bytes.</param>
    /// <param name="y">Receives as many bytes; may be <paramref name="x"/>.</param>
    /// <param name="outer">Extent before the channels.</param>
    /// <param name="inner">Extent after the channels.</param>
    /// <param name="loop">Runs the parts.</param>
    public static void Run(
        byte* x, int xZeroPoint, in AffineFactors factors, Requantization result, byte* y, long outer, long inner, ParallelLoop loop)
    {
        ByteAffine affine = new(x, xZeroPoint, factors, result, y, outer, inner);
        if (affine._count > 0)
            loop.Run(checked((int)((affine._count + affine._part - 1) / affine._part)), affine.RunPart);
    }

    /// <summary>The definition of one result.</summary>
    /// <param name="x">The byte.</param>
    /// <param name="xZeroPoint">Its zero point.</param>
    /// <param name="factors">The factors.</param>
    /// <param name="channel">Its channel.</param>
    /// <param name="result">How the result becomes a byte.</param>
    public static byte Value(byte x, int xZeroPoint, in AffineFactors factors, int channel, in Requantization result)
    {
        float product = (x - xZeroPoint) * factors.Scale[channel];
        float value = product + factors.Bias[channel];
        if (value < 0)
            value *= factors.Slope[channel];
        int least = result.ClampMin - result.ZeroPoint, greatest = result.ClampMax - result.ZeroPoint;
        return (byte)((int)MathF.Round(MathF.Min(MathF.Max(value, least), greatest)) + result.ZeroPoint);
    }

    [MethodImpl(MethodCompilation.Loops)]
    private void RunPart(int part)
    {
        // In bounds: parts are whole runs and end at or before count; a run of the last axis has a byte of every channel.
        long first = part * _part, end = Math.Min(first + _part, _count);
        Constants constants = new(_xZeroPoint, _result);
        if (_inner == 1)
        {
            for (long at = first; at < end; at += _factors.Channels)
                RunChannels(_x + at, _y + at, constants);
            return;
        }

        for (long at = first; at < end; at += _inner)
            RunPositions(_x + at, _y + at, (int)(at / _inner % _factors.Channels), constants);
    }

    /// <summary>One byte of every channel.</summary>
    [MethodImpl(MethodCompilation.Loops)]
    private void RunChannels(byte* x, byte* y, in Constants constants)
    {
        // In bounds: 8 or 32 channels up to C, which x, y and the factors have.
        int channels = _factors.Channels, channel = 0;
        float* scale = _factors.Scale, bias = _factors.Bias, slope = _factors.Slope;
        int vectors = _factors.AreSmall ? channels : 0;
        if (Avx2.IsSupported)
        {
            for (; channel <= vectors - (4 * Step); channel += 4 * Step)
                Quantize(x + channel, scale + channel, bias + channel, slope + channel, constants).Store(y + channel);
        }

        for (; channel <= vectors - Step; channel += Step)
            StoreEight(Results(x + channel, scale + channel, bias + channel, slope + channel, constants), y + channel);
        for (; channel < channels; channel++)
            y[channel] = Value(x[channel], _xZeroPoint, _factors, channel, _result);
    }

    /// <summary>Consecutive bytes of one channel.</summary>
    [MethodImpl(MethodCompilation.Loops)]
    private void RunPositions(byte* x, byte* y, int channel, in Constants constants)
    {
        // In bounds: 8 positions up to inner.
        long position = 0, vectors = _factors.AreSmall ? _inner : 0;
        Vector256<float> scale = Vector256.Create(_factors.Scale[channel]), bias = Vector256.Create(_factors.Bias[channel]);
        Vector256<float> slope = Vector256.Create(_factors.Slope[channel]);
        for (; position <= vectors - Step; position += Step)
            StoreEight(Results(x + position, scale, bias, slope, constants), y + position);
        for (; position < _inner; position++)
            y[position] = Value(x[position], _xZeroPoint, _factors, channel, _result);
    }

    /// <summary>32 channels. Packing saturates, so that the bounds are those of bytes; the conversion rounds half to even.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<byte> Quantize(byte* x, float* scale, float* bias, float* slope, in Constants constants)
    {
        Vector256<int> q0 = Rounded(x, scale, bias, slope, constants);
        Vector256<int> q1 = Rounded(x + Step, scale + Step, bias + Step, slope + Step, constants);
        Vector256<int> q2 = Rounded(x + (2 * Step), scale + (2 * Step), bias + (2 * Step), slope + (2 * Step), constants);
        Vector256<int> q3 = Rounded(x + (3 * Step), scale + (3 * Step), bias + (3 * Step), slope + (3 * Step), constants);
        Vector256<short> w0 = Avx2.AddSaturate(Avx2.PackSignedSaturate(q0, q1), constants.ZeroPoint);
        Vector256<short> w1 = Avx2.AddSaturate(Avx2.PackSignedSaturate(q2, q3), constants.ZeroPoint);

        // Packing works within 128-bit halves: fours of channels come out as 0 2 4 6 | 1 3 5 7.
        Vector256<int> packed = Avx2.PackUnsignedSaturate(w0, w1).AsInt32();
        Vector256<byte> bytes = Avx2.PermuteVar8x32(packed, Vector256.Create(0, 4, 1, 5, 2, 6, 3, 7)).AsByte();
        return Avx2.Min(Avx2.Max(bytes, constants.LeastByte), constants.GreatestByte);
    }

    /// <summary>Eight results before the output's zero point is added.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> Rounded(byte* x, float* scale, float* bias, float* slope, in Constants constants) =>
        Avx.ConvertToVector256Int32(
            Values(Avx2.ConvertToVector256Int32(x), Vector256.Load(scale), Vector256.Load(bias), Vector256.Load(slope), constants));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> Results(byte* x, float* scale, float* bias, float* slope, in Constants constants) =>
        Results(x, Vector256.Load(scale), Vector256.Load(bias), Vector256.Load(slope), constants);

    /// <summary>Eight results, in 0 to 255.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> Results(
        byte* x, Vector256<float> scale, Vector256<float> bias, Vector256<float> slope, in Constants constants)
    {
        Vector128<ushort> words = Vector128.WidenLower(Vector128.CreateScalarUnsafe(*(ulong*)x).AsByte());
        Vector256<float> value = Values(Vector256.WidenLower(words.ToVector256Unsafe()).AsInt32(), scale, bias, slope, constants);
        Vector256<int> rounded = (value + constants.Rounding).AsInt32() - constants.RoundingBits;
        return Vector256.Min(Vector256.Max(rounded, constants.Least), constants.Greatest);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Values(
        Vector256<int> x, Vector256<float> scale, Vector256<float> bias, Vector256<float> slope, in Constants constants)
    {
        Vector256<float> value = (Vector256.ConvertToSingle(x - constants.XZeroPoint) * scale) + bias;
        return Vector256.ConditionalSelect(Vector256.LessThan(value, Vector256<float>.Zero), value * slope, value);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void StoreEight(Vector256<int> results, byte* y)
    {
        Vector128<ushort> words = Vector128.Narrow(results.GetLower(), results.GetUpper()).AsUInt16();
        *(ulong*)y = Vector128.Narrow(words, words).AsUInt64().ToScalar();
    }

    private readonly struct Constants(int xZeroPoint, in Requantization result)
    {
        public readonly Vector256<int> XZeroPoint = Vector256.Create(xZeroPoint);
        public readonly Vector256<float> Rounding = Vector256.Create(RoundingOffset);

        /// <summary>What turns the bits of a rounded sum into an integer with the output's zero point.</summary>
        public readonly Vector256<int> RoundingBits =
            Vector256.Create(BitConverter.SingleToInt32Bits(RoundingOffset) - result.ZeroPoint);

        public readonly Vector256<short> ZeroPoint = Vector256.Create((short)result.ZeroPoint);

        public readonly Vector256<byte> LeastByte = Vector256.Create((byte)result.ClampMin),
            GreatestByte = Vector256.Create((byte)result.ClampMax);

        public readonly Vector256<int> Least = Vector256.Create(result.ClampMin), Greatest = Vector256.Create(result.ClampMax);
    }
}
