namespace NestQuant.RuntimeOps.Paging;

/// <summary>
/// Releases a low operand's memory when its node switches to a level without it, and fetches it when the node switches back.
/// </summary>
/// <remarks>
/// Only an operand that is a constant initializer in a mapped file is paged: releasing its pages loses nothing, since the file still has
/// them, and a run that reads them at the same time just faults them in again. Operands that share a page of the file do not share one of
/// the process, since ONNX Runtime maps each by itself, so that small ones are released too. Linux only; elsewhere nothing happens.
/// </remarks>
/// <param name="address">The constant operand's address, or 0 when there is none.</param>
/// <param name="length">Its bytes.</param>
/// <param name="isReadWhole">Whether a run that needs the operand reads all of it, so that it is fetched at once.</param>
internal sealed class LowOperandPager(nint address, long length, bool isReadWhole)
{
    private const int Unknown = 0;
    private const int Needed = 1;
    private const int NotNeeded = 2;

    private readonly Lazy<PageRange> _pages = new(
        () => address != 0 && OperatingSystem.IsLinux() ? MemoryMaps.OwnPages(address, length) : default);
    private int _state = Unknown;

    /// <summary>Records whether a starting run needs the operand, and acts when the previous run did not agree.</summary>
    /// <returns>Bytes fetched, or released where negative.</returns>
    public long Enter(bool isNeeded)
    {
        int state = isNeeded ? Needed : NotNeeded;
        if (Volatile.Read(ref _state) == state)
            return 0;
        int previous = Interlocked.Exchange(ref _state, state);
        if (previous is Unknown || previous == state)
            return 0;
        if (!isNeeded)
            PageAdvice.Release(_pages.Value);
        else if (isReadWhole)
            PageAdvice.Prefetch(_pages.Value);
        else
            return 0;
        return isNeeded ? _pages.Value.Bytes : -_pages.Value.Bytes;
    }
}
