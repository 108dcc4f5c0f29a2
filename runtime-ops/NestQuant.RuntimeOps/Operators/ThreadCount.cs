using System.Globalization;
using NestQuant.RuntimeOps.Interop;
using NestQuant.RuntimeOps.Schema;

namespace NestQuant.RuntimeOps.Operators;

/// <summary>
/// The session configuration entry <see cref="SessionEntries.Threads"/>: ONNX Runtime does not tell operators how many threads a session
/// has.
/// </summary>
internal static class ThreadCount
{
    /// <summary>Reads the entry.</summary>
    /// <param name="configured">Its text, or null when it is not set.</param>
    /// <returns>Threads, 1 or more; one per processor when it is not set.</returns>
    /// <exception cref="OperatorException">The text is not a number of at least 1.</exception>
    public static int Parse(string? configured)
    {
        if (configured is null)
            return Environment.ProcessorCount;
        return int.TryParse(configured, NumberStyles.None, CultureInfo.InvariantCulture, out int threads) && threads > 0
            ? threads
            : throw new OperatorException($"{SessionEntries.Threads} is '{configured}': a number of threads of at least 1 expected");
    }
}
