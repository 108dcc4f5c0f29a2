using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;
using NestQuant.RuntimeOps.Kernels.Execution;

namespace NestQuant.RuntimeOps.Interop;

/// <summary>Runs parts on ONNX Runtime's own thread pool.</summary>
internal sealed unsafe class OrtParallelLoop(OrtApi api, void* context) : ParallelLoop
{
    private readonly void* _context = context;

    /// <inheritdoc/>
    public override void Run(int count, Action<int> body)
    {
        if (count == 1)
        {
            body(0);
            return;
        }

        Work work = new(body);
        GCHandle handle = GCHandle.Alloc(work);
        try
        {
            api.ParallelFor(_context, &RunOne, count, GCHandle.ToIntPtr(handle));
        }
        finally
        {
            handle.Free();
        }

        work.Error?.Throw();
    }

    // An exception that leaves this method ends the process, so it is kept and thrown again on the caller's thread.
    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void RunOne(nint userData, nuint index)
    {
        Work work = (Work)GCHandle.FromIntPtr(userData).Target!;
        if (work.Error is not null)
            return;
        try
        {
            work.Body((int)index);
        }
        catch (Exception error)
        {
            work.Error = ExceptionDispatchInfo.Capture(error);
        }
    }

    private sealed class Work(Action<int> body)
    {
        public Action<int> Body { get; } = body;

        public volatile ExceptionDispatchInfo? Error;
    }
}
