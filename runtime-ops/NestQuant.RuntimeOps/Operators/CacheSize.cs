using System.Globalization;
using NestQuant.RuntimeOps.Interop;
using NestQuant.RuntimeOps.Schema;

namespace NestQuant.RuntimeOps.Operators;

/// <summary>
/// The session configuration entry <see cref="SessionEntries.Cache"/>: bytes, with a suffix k, m or g for powers of 1024.
/// </summary>
internal static class CacheSize
{
    /// <summary>Reads the entry.</summary>
    /// <param name="configured">Its text, or null when it is not set.</param>
    /// <returns>Bytes; 0 for no cache.</returns>
    /// <exception cref="OperatorException">The text is not a number of bytes, or one beyond 2^63 - 1.</exception>
    public static long Parse(string? configured)
    {
        if (configured is null)
            return 0;
        int shift = configured.Length == 0 ? 0 : char.ToLowerInvariant(configured[^1]) switch { 'k' => 10, 'm' => 20, 'g' => 30, _ => 0 };
        string digits = shift == 0 ? configured : configured[..^1];
        if (!long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out long bytes) || bytes > long.MaxValue >> shift)
            throw new OperatorException(
                $"{SessionEntries.Cache} is '{configured}': bytes expected, for example 500000, 512k, 8m or 1g");
        return bytes << shift;
    }
}
