namespace NestQuant.RuntimeOps.Kernels.Execution;

/// <summary>
/// Uninitialized memory for the time of a call, aligned to a cache line: a piece of the stack that every thread has. Pieces are given back
/// in the reverse order, which <c>using</c> sees to. A thread that has once had as much makes no allocation.
/// </summary>
internal readonly unsafe struct Scratch : IDisposable
{
    private readonly ScratchStack? _stack;
    private readonly nint _bytes;

    /// <summary>Takes memory.</summary>
    /// <param name="bytes">How much; 0 for none.</param>
    public Scratch(long bytes)
    {
        if (bytes == 0)
            return;
        _bytes = checked((nint)bytes);
        _stack = ScratchStack.OfThisThread;
        Address = _stack.Push(_bytes);
    }

    /// <summary>The first byte; null where there is none.</summary>
    public byte* Address { get; }

    /// <summary>Gives the memory back, on the thread that took it.</summary>
    public void Dispose() => _stack?.Pop(Address, _bytes);
}
