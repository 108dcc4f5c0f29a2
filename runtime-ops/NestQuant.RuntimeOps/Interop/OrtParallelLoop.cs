using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;
using NestQuant.RuntimeOps.Kernels.Execution;

namespace NestQuant.RuntimeOps.Interop;

/// <summary>Runs parts on the thread pool of ONNX Runtime's session, for one run at a time.</summary>
internal sealed unsafe class OrtParallelLoop : ParallelLoop
{
    [ThreadStatic]
    private static OrtParallelLoop? t_idle;

    private OrtApi _api;
    private void* _context;

    private OrtParallelLoop()
    {
    }

    /// <summary>Takes the calling thread's loop, or makes one, for a run.</summary>
    public static OrtParallelLoop Rent(OrtApi api, void* context)
    {
        OrtParallelLoop loop = t_idle ?? new OrtParallelLoop();
        t_idle = null;
        loop._api = api;
        loop._context = context;
        return loop;
    }

    /// <summary>Keeps the loop for the thread's next run.</summary>
    public void Return() => t_idle = this;

    /// <inheritdoc/>
    public override void Run(int count, Action<int> body)
    {
        if (count == 1)
        {
            body(0);
            return;
        }

        // On the stack, where it stays in place until all parts are done, and the garbage collector sees its references.
        Work work = new() { Body = body };
        _api.ParallelFor(_context, &RunOne, count, (nint)Unsafe.AsPointer(ref work));
        work.Error?.Throw();
    }

    // An exception that leaves this method ends the process, so it is kept and thrown again on the caller's thread.
    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void RunOne(nint userData, nuint index)
    {
        ref Work work = ref Unsafe.AsRef<Work>((void*)userData);
        if (Volatile.Read(ref work.Error) is not null)
            return;
        try
        {
            work.Body((int)index);
        }
        catch (Exception error)
        {
            Volatile.Write(ref work.Error, ExceptionDispatchInfo.Capture(error));
        }
    }

    private struct Work
    {
        public Action<int> Body;
        public ExceptionDispatchInfo? Error;
    }
}
