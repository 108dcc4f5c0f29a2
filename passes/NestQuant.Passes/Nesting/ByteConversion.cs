using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace NestQuant.Passes.Nesting;

/// <summary>Conversions between float32 and small integers, vectorised; the library's own are scalar for these types.</summary>
internal static class ByteConversion
{
    /// <summary>
    /// Clips to [<paramref name="lo"/>, <paramref name="hi"/>] within [-128, 127] and stores; the values are whole numbers.
    /// </summary>
    public static void Store(ReadOnlySpan<float> values, float lo, float hi, Span<sbyte> integers)
    {
        ReadOnlySpan<Vector128<float>> source = MemoryMarshal.Cast<float, Vector128<float>>(values);
        Span<Vector128<sbyte>> target = MemoryMarshal.Cast<sbyte, Vector128<sbyte>>(integers);
        Vector128<float> least = Vector128.Create(lo), greatest = Vector128.Create(hi);
        for (int i = 0; i < target.Length; i++)
        {
            target[i] = Vector128.Narrow(
                Vector128.Narrow(Clip(source[4 * i]), Clip(source[(4 * i) + 1])),
                Vector128.Narrow(Clip(source[(4 * i) + 2]), Clip(source[(4 * i) + 3])));
        }

        for (int i = target.Length * Vector128<sbyte>.Count; i < values.Length; i++) integers[i] = (sbyte)Math.Clamp(values[i], lo, hi);

        Vector128<int> Clip(Vector128<float> vector) =>
            Vector128.ConvertToInt32(Vector128.MinNative(Vector128.MaxNative(vector, least), greatest));
    }

    /// <summary>Loads integers as float32.</summary>
    public static void Load(ReadOnlySpan<sbyte> integers, Span<float> values)
    {
        ReadOnlySpan<Vector128<sbyte>> source = MemoryMarshal.Cast<sbyte, Vector128<sbyte>>(integers);
        Span<Vector128<float>> target = MemoryMarshal.Cast<float, Vector128<float>>(values);
        for (int i = 0; i < source.Length; i++)
        {
            (Vector128<short> lower, Vector128<short> upper) = Vector128.Widen(source[i]);
            (Vector128<int> a, Vector128<int> b) = Vector128.Widen(lower);
            (Vector128<int> c, Vector128<int> d) = Vector128.Widen(upper);
            target[4 * i] = Vector128.ConvertToSingle(a);
            target[(4 * i) + 1] = Vector128.ConvertToSingle(b);
            target[(4 * i) + 2] = Vector128.ConvertToSingle(c);
            target[(4 * i) + 3] = Vector128.ConvertToSingle(d);
        }

        for (int i = source.Length * Vector128<sbyte>.Count; i < integers.Length; i++) values[i] = integers[i];
    }
}
