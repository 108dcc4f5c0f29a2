using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;
using NestQuant.RuntimeOps.Interop;

namespace NestQuant.RuntimeOps.Sessions;

/// <summary>ONNX Runtime's messages about one session. It must outlive the session.</summary>
internal sealed unsafe class SessionLog : IDisposable
{
    private readonly Action<OrtLoggingLevel, string> _write;
    private GCHandle _self;

    /// <summary>A log that goes to a host, or to the process's error output.</summary>
    /// <param name="write">Takes level and message; null for the error output.</param>
    public SessionLog(Action<OrtLoggingLevel, string>? write)
    {
        _write = write ?? ((level, message) => Console.Error.WriteLine($"[{Letter(level)}:onnxruntime] {message}"));
        _self = GCHandle.Alloc(this);
    }

    /// <summary>Makes sessions with these options log here.</summary>
    public void Attach(SessionOptions options)
    {
        using HeldOptions held = new(options);
        HeldOptions.Api.SetLog(held.Address, &Message, GCHandle.ToIntPtr(_self));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_self.IsAllocated)
            _self.Free();
    }

    // It would have users remove the switch: "Initializer nest_bits appears in graph inputs and will not be treated as constant".
    private static bool AdvisesAgainstTheSwitch(string message) =>
        message.Contains($"Initializer {NestQuantOps.BitsInput} appears in graph inputs", StringComparison.Ordinal);

    private static char Letter(OrtLoggingLevel level) => level switch
    {
        OrtLoggingLevel.ORT_LOGGING_LEVEL_VERBOSE => 'V',
        OrtLoggingLevel.ORT_LOGGING_LEVEL_INFO => 'I',
        OrtLoggingLevel.ORT_LOGGING_LEVEL_WARNING => 'W',
        OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR => 'E',
        _ => 'F',
    };

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void Message(nint log, LogLevel level, byte* category, byte* logId, byte* location, byte* message)
    {
        try
        {
            string text = Marshal.PtrToStringUTF8((nint)message) ?? "";
            if (!AdvisesAgainstTheSwitch(text))
                ((SessionLog)GCHandle.FromIntPtr(log).Target!)._write((OrtLoggingLevel)level, text);
        }
        catch (Exception error)
        {
            // An exception that leaves this function ends the process, and a host's log is no reason for that.
            System.Diagnostics.Trace.TraceError(error.ToString());
        }
    }
}
