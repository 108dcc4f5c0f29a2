using NestQuant.RuntimeOps.Schema;

namespace NestQuant.RuntimeOps.Interop;

/// <summary>
/// The table <c>OrtApi</c> with the signatures of onnxruntime_c_api.h; <c>void*</c> results are statuses, null on success.
/// </summary>
internal readonly unsafe struct OrtApiFunctions(void** table)
{
    public delegate* unmanaged[Cdecl]<OrtErrorCode, byte*, void*> CreateStatus =>
        (delegate* unmanaged[Cdecl]<OrtErrorCode, byte*, void*>)table[OrtApiSlot.CreateStatus];

    public delegate* unmanaged[Cdecl]<void*, byte*> GetErrorMessage =>
        (delegate* unmanaged[Cdecl]<void*, byte*>)table[OrtApiSlot.GetErrorMessage];

    public delegate* unmanaged[Cdecl]<LogLevel, byte*, void**, void*> CreateEnv =>
        (delegate* unmanaged[Cdecl]<LogLevel, byte*, void**, void*>)table[OrtApiSlot.CreateEnv];

    public delegate* unmanaged[Cdecl]<void*, void*, nuint, void*, void**, void*> CreateSessionFromArray =>
        (delegate* unmanaged[Cdecl]<void*, void*, nuint, void*, void**, void*>)table[OrtApiSlot.CreateSessionFromArray];

    public delegate* unmanaged[Cdecl]<void**, void*> CreateSessionOptions =>
        (delegate* unmanaged[Cdecl]<void**, void*>)table[OrtApiSlot.CreateSessionOptions];

    public delegate* unmanaged[Cdecl]<void*, int, void*> SetIntraOpNumThreads =>
        (delegate* unmanaged[Cdecl]<void*, int, void*>)table[OrtApiSlot.SetIntraOpNumThreads];

    public delegate* unmanaged[Cdecl]<byte*, void**, void*> CreateCustomOpDomain =>
        (delegate* unmanaged[Cdecl]<byte*, void**, void*>)table[OrtApiSlot.CreateCustomOpDomain];

    public delegate* unmanaged[Cdecl]<void*, OrtCustomOp*, void*> CustomOpDomainAdd =>
        (delegate* unmanaged[Cdecl]<void*, OrtCustomOp*, void*>)table[OrtApiSlot.CustomOpDomainAdd];

    public delegate* unmanaged[Cdecl]<void*, void*, void*> AddCustomOpDomain =>
        (delegate* unmanaged[Cdecl]<void*, void*, void*>)table[OrtApiSlot.AddCustomOpDomain];

    public delegate* unmanaged[Cdecl]<void*, int*, void*> IsTensor =>
        (delegate* unmanaged[Cdecl]<void*, int*, void*>)table[OrtApiSlot.IsTensor];

    public delegate* unmanaged[Cdecl]<void*, void**, void*> GetTensorMutableData =>
        (delegate* unmanaged[Cdecl]<void*, void**, void*>)table[OrtApiSlot.GetTensorMutableData];

    public delegate* unmanaged[Cdecl]<void**, void*> CreateTensorTypeAndShapeInfo =>
        (delegate* unmanaged[Cdecl]<void**, void*>)table[OrtApiSlot.CreateTensorTypeAndShapeInfo];

    public delegate* unmanaged[Cdecl]<void*, ElementType, void*> SetTensorElementType =>
        (delegate* unmanaged[Cdecl]<void*, ElementType, void*>)table[OrtApiSlot.SetTensorElementType];

    public delegate* unmanaged[Cdecl]<void*, long*, nuint, void*> SetDimensions =>
        (delegate* unmanaged[Cdecl]<void*, long*, nuint, void*>)table[OrtApiSlot.SetDimensions];

    public delegate* unmanaged[Cdecl]<void*, nuint*, void*> GetDimensionsCount =>
        (delegate* unmanaged[Cdecl]<void*, nuint*, void*>)table[OrtApiSlot.GetDimensionsCount];

    public delegate* unmanaged[Cdecl]<void*, long*, nuint, void*> GetDimensions =>
        (delegate* unmanaged[Cdecl]<void*, long*, nuint, void*>)table[OrtApiSlot.GetDimensions];

    public delegate* unmanaged[Cdecl]<void*, byte*, float*, void*> KernelInfoGetAttributeFloat =>
        (delegate* unmanaged[Cdecl]<void*, byte*, float*, void*>)table[OrtApiSlot.KernelInfoGetAttributeFloat];

    public delegate* unmanaged[Cdecl]<void*, byte*, long*, void*> KernelInfoGetAttributeInt64 =>
        (delegate* unmanaged[Cdecl]<void*, byte*, long*, void*>)table[OrtApiSlot.KernelInfoGetAttributeInt64];

    public delegate* unmanaged[Cdecl]<void*, byte*, byte*, nuint*, void*> KernelInfoGetAttributeString =>
        (delegate* unmanaged[Cdecl]<void*, byte*, byte*, nuint*, void*>)table[OrtApiSlot.KernelInfoGetAttributeString];

    public delegate* unmanaged[Cdecl]<void*, nuint*, void*> KernelContextGetInputCount =>
        (delegate* unmanaged[Cdecl]<void*, nuint*, void*>)table[OrtApiSlot.KernelContextGetInputCount];

    public delegate* unmanaged[Cdecl]<void*, nuint, void**, void*> KernelContextGetInput =>
        (delegate* unmanaged[Cdecl]<void*, nuint, void**, void*>)table[OrtApiSlot.KernelContextGetInput];

    public delegate* unmanaged[Cdecl]<void*, nuint, long*, nuint, void**, void*> KernelContextGetOutput =>
        (delegate* unmanaged[Cdecl]<void*, nuint, long*, nuint, void**, void*>)table[OrtApiSlot.KernelContextGetOutput];

    public delegate* unmanaged[Cdecl]<void*, void> ReleaseEnv =>
        (delegate* unmanaged[Cdecl]<void*, void>)table[OrtApiSlot.ReleaseEnv];

    public delegate* unmanaged[Cdecl]<void*, void> ReleaseStatus =>
        (delegate* unmanaged[Cdecl]<void*, void>)table[OrtApiSlot.ReleaseStatus];

    public delegate* unmanaged[Cdecl]<void*, void> ReleaseSession =>
        (delegate* unmanaged[Cdecl]<void*, void>)table[OrtApiSlot.ReleaseSession];

    public delegate* unmanaged[Cdecl]<void*, void> ReleaseTensorTypeAndShapeInfo =>
        (delegate* unmanaged[Cdecl]<void*, void>)table[OrtApiSlot.ReleaseTensorTypeAndShapeInfo];

    public delegate* unmanaged[Cdecl]<void*, void> ReleaseSessionOptions =>
        (delegate* unmanaged[Cdecl]<void*, void>)table[OrtApiSlot.ReleaseSessionOptions];

    public delegate* unmanaged[Cdecl]<void*, byte*, float*, nuint*, void*> KernelInfoGetAttributeArrayFloat =>
        (delegate* unmanaged[Cdecl]<void*, byte*, float*, nuint*, void*>)table[OrtApiSlot.KernelInfoGetAttributeArrayFloat];

    public delegate* unmanaged[Cdecl]<void*, byte*, long*, nuint*, void*> KernelInfoGetAttributeArrayInt64 =>
        (delegate* unmanaged[Cdecl]<void*, byte*, long*, nuint*, void*>)table[OrtApiSlot.KernelInfoGetAttributeArrayInt64];

    public delegate* unmanaged[Cdecl]<void*, byte*, nuint*, void*> KernelInfoGetNodeName =>
        (delegate* unmanaged[Cdecl]<void*, byte*, nuint*, void*>)table[OrtApiSlot.KernelInfoGetNodeName];

    public delegate* unmanaged[Cdecl]<void*, void**, void*> KernelInfoGetLogger =>
        (delegate* unmanaged[Cdecl]<void*, void**, void*>)table[OrtApiSlot.KernelInfoGetLogger];

    public delegate* unmanaged[Cdecl]<void*, void**, void*> KernelContextGetLogger =>
        (delegate* unmanaged[Cdecl]<void*, void**, void*>)table[OrtApiSlot.KernelContextGetLogger];

    public delegate* unmanaged[Cdecl]<void*, LogLevel*, void*> LoggerGetLoggingSeverityLevel =>
        (delegate* unmanaged[Cdecl]<void*, LogLevel*, void*>)table[OrtApiSlot.LoggerGetLoggingSeverityLevel];

    public delegate* unmanaged[Cdecl]<void*, LogLevel, byte*, byte*, int, byte*, void*> LoggerLogMessage =>
        (delegate* unmanaged[Cdecl]<void*, LogLevel, byte*, byte*, int, byte*, void*>)table[OrtApiSlot.LoggerLogMessage];

    public delegate* unmanaged[Cdecl]<void*, nuint, int*, void**, void*> KernelInfoGetConstantInputTensor =>
        (delegate* unmanaged[Cdecl]<void*, nuint, int*, void**, void*>)table[OrtApiSlot.KernelInfoGetConstantInputTensor];

    public delegate* unmanaged[Cdecl]<void*, nuint, void**, void*> ShapeInferContextGetInputTypeShape =>
        (delegate* unmanaged[Cdecl]<void*, nuint, void**, void*>)table[OrtApiSlot.ShapeInferContextGetInputTypeShape];

    public delegate* unmanaged[Cdecl]<void*, byte*, void**, void*> ShapeInferContextGetAttribute =>
        (delegate* unmanaged[Cdecl]<void*, byte*, void**, void*>)table[OrtApiSlot.ShapeInferContextGetAttribute];

    public delegate* unmanaged[Cdecl]<void*, nuint, void*, void*> ShapeInferContextSetOutputTypeShape =>
        (delegate* unmanaged[Cdecl]<void*, nuint, void*, void*>)table[OrtApiSlot.ShapeInferContextSetOutputTypeShape];

    public delegate* unmanaged[Cdecl]<void*, byte**, nuint, void*> SetSymbolicDimensions =>
        (delegate* unmanaged[Cdecl]<void*, byte**, nuint, void*>)table[OrtApiSlot.SetSymbolicDimensions];

    public delegate* unmanaged[Cdecl]<void*, OpAttributeType, void*, nuint, nuint*, void*> ReadOpAttr =>
        (delegate* unmanaged[Cdecl]<void*, OpAttributeType, void*, nuint, nuint*, void*>)table[OrtApiSlot.ReadOpAttr];

    public delegate* unmanaged[Cdecl]<
        void*, delegate* unmanaged[Cdecl]<nint, nuint, void>, nuint, nuint, nint, void*> KernelContextParallelFor =>
        (
            delegate* unmanaged[Cdecl]<void*,
            delegate* unmanaged[Cdecl]<nint,
            nuint,
            void>,
            nuint,
            nuint,
            nint,
            void*>)table[OrtApiSlot.KernelContextParallelFor];

    public delegate* unmanaged[Cdecl]<void*, delegate* unmanaged[Cdecl]<nint, LogLevel, byte*, byte*, byte*, byte*, void>, nint, void*>
        SetUserLoggingFunction =>
        (delegate* unmanaged[Cdecl]<void*, delegate* unmanaged[Cdecl]<nint, LogLevel, byte*, byte*, byte*, byte*, void>, nint, void*>)
        table[OrtApiSlot.SetUserLoggingFunction];

    public delegate* unmanaged[Cdecl]<void*, byte*, byte*> GetKeyValue =>
        (delegate* unmanaged[Cdecl]<void*, byte*, byte*>)table[OrtApiSlot.GetKeyValue];

    public delegate* unmanaged[Cdecl]<void*, void> ReleaseKeyValuePairs =>
        (delegate* unmanaged[Cdecl]<void*, void>)table[OrtApiSlot.ReleaseKeyValuePairs];

    public delegate* unmanaged[Cdecl]<void*, void**, void*> KernelInfoGetConfigEntries =>
        (delegate* unmanaged[Cdecl]<void*, void**, void*>)table[OrtApiSlot.KernelInfoGetConfigEntries];

    public delegate* unmanaged[Cdecl]<void*, ElementType*, long**, nuint*, void*> GetTensorElementTypeAndShapeDataReference =>
        (delegate* unmanaged[Cdecl]<void*, ElementType*, long**, nuint*, void*>)table[OrtApiSlot.GetTensorElementTypeAndShapeDataReference];
}
