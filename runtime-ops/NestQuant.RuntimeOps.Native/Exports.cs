using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using NestQuant.RuntimeOps.Interop;
using NestQuant.RuntimeOps.Operators;

namespace NestQuant.RuntimeOps.Native;

/// <summary>The native library's only export.</summary>
internal static unsafe class Exports
{
    // GetApi of version 1, which every ONNX Runtime has, is enough to create a status.
    private const uint FirstApiVersion = 1;

    /// <summary>Called by ONNX Runtime's RegisterCustomOpsLibrary, in any language.</summary>
    /// <param name="sessionOptions">An <c>OrtSessionOptions</c>.</param>
    /// <param name="apiBase">The host's ONNX Runtime.</param>
    /// <returns>Null, or a status that says what went wrong.</returns>
    [UnmanagedCallersOnly(EntryPoint = "RegisterCustomOps", CallConvs = [typeof(CallConvCdecl)])]
    public static void* RegisterCustomOps(void* sessionOptions, OrtApiBase* apiBase)
    {
        try
        {
            OperatorRegistration.Register(sessionOptions, apiBase);
            return null;
        }
        catch (Exception error)
        {
            return new OrtApi(apiBase->GetApi(FirstApiVersion)).CreateStatus(OrtErrorCode.Fail, error.Message);
        }
    }
}
