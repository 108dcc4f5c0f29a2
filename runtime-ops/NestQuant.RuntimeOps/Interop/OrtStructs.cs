using System.Runtime.InteropServices;

namespace NestQuant.RuntimeOps.Interop;

/// <summary>The entry to ONNX Runtime's C API.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct OrtApiBase
{
    public delegate* unmanaged[Cdecl]<uint, void**> GetApi;
    public delegate* unmanaged[Cdecl]<byte*> GetVersionString;
}

/// <summary>
/// The C struct <c>OrtCustomOp</c> of ONNX Runtime 1.31 (26 fields, 208 bytes where pointers have 8), with this library's own fields after
/// it.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct OrtCustomOp
{
    public uint Version;
    public void* CreateKernel;
    public delegate* unmanaged[Cdecl]<OrtCustomOp*, byte*> GetName;
    public delegate* unmanaged[Cdecl]<OrtCustomOp*, byte*> GetExecutionProviderType;
    public delegate* unmanaged[Cdecl]<OrtCustomOp*, nuint, int> GetInputType;
    public delegate* unmanaged[Cdecl]<OrtCustomOp*, nuint> GetInputTypeCount;
    public delegate* unmanaged[Cdecl]<OrtCustomOp*, nuint, int> GetOutputType;
    public delegate* unmanaged[Cdecl]<OrtCustomOp*, nuint> GetOutputTypeCount;
    public void* KernelCompute;
    public delegate* unmanaged[Cdecl]<nint, void> KernelDestroy;
    public delegate* unmanaged[Cdecl]<OrtCustomOp*, nuint, int> GetInputCharacteristic;
    public delegate* unmanaged[Cdecl]<OrtCustomOp*, nuint, int> GetOutputCharacteristic;
    public delegate* unmanaged[Cdecl]<OrtCustomOp*, nuint, int> GetInputMemoryType;
    public delegate* unmanaged[Cdecl]<OrtCustomOp*, int> GetVariadicInputMinArity;
    public delegate* unmanaged[Cdecl]<OrtCustomOp*, int> GetVariadicInputHomogeneity;
    public delegate* unmanaged[Cdecl]<OrtCustomOp*, int> GetVariadicOutputMinArity;
    public delegate* unmanaged[Cdecl]<OrtCustomOp*, int> GetVariadicOutputHomogeneity;
    public delegate* unmanaged[Cdecl]<OrtCustomOp*, void**, void*, nint*, void*> CreateKernelV2;
    public delegate* unmanaged[Cdecl]<nint, void*, void*> KernelComputeV2;
    public delegate* unmanaged[Cdecl]<OrtCustomOp*, void*, void*> InferOutputShape;
    public delegate* unmanaged[Cdecl]<OrtCustomOp*, int> GetStartVersion;
    public delegate* unmanaged[Cdecl]<OrtCustomOp*, int> GetEndVersion;
    public void* GetMayInplace;
    public void* ReleaseMayInplace;
    public void* GetAliasMap;
    public void* ReleaseAliasMap;

    /// <summary>Private: the API table of the ONNX Runtime that this struct was registered with.</summary>
    public void** Api;

    /// <summary>Private: the operator's name, UTF-8, zero-terminated.</summary>
    public byte* Name;

    /// <summary>Private: a GCHandle of the <see cref="CustomOperator"/>, which is never freed.</summary>
    public nint Operator;
}

/// <summary>OrtErrorCode, those used here.</summary>
internal enum OrtErrorCode
{
    Fail = 1,
    InvalidArgument = 2,
}

/// <summary>OrtLoggingLevel, those used here.</summary>
internal enum LogLevel
{
    Verbose = 0,
    Warning = 2,
    Fatal = 4,
}

/// <summary>OrtOpAttrType, those used here.</summary>
internal enum OpAttributeType
{
    Int = 1,
    Ints = 2,
    String = 5,
}
