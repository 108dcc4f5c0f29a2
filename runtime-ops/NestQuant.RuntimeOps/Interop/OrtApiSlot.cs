namespace NestQuant.RuntimeOps.Interop;

/// <summary>
/// Positions of the functions used here in the table <c>OrtApi</c>, counted in onnxruntime_c_api.h of ONNX Runtime 1.31 (the table
/// only ever grows at its end, so a position holds for every later version).
/// </summary>
internal static class OrtApiSlot
{
    /// <summary>
    /// The oldest API version that has every function named here; <see cref="KernelInfoGetConfigEntries"/> and
    /// <see cref="GetTensorElementTypeAndShapeDataReference"/> are the youngest.
    /// </summary>
    public const int MinimumVersion = 24;

    public const int CreateStatus = 0;
    public const int GetErrorMessage = 2;
    public const int CreateEnv = 3;
    public const int CreateSessionFromArray = 8;
    public const int CreateSessionOptions = 10;
    public const int SetIntraOpNumThreads = 24;
    public const int CreateCustomOpDomain = 26;
    public const int CustomOpDomainAdd = 27;
    public const int AddCustomOpDomain = 28;
    public const int IsTensor = 50;
    public const int GetTensorMutableData = 51;
    public const int CreateTensorTypeAndShapeInfo = 57;
    public const int SetTensorElementType = 58;
    public const int SetDimensions = 59;
    public const int GetDimensionsCount = 61;
    public const int GetDimensions = 62;
    public const int KernelInfoGetAttributeFloat = 85;
    public const int KernelInfoGetAttributeInt64 = 86;
    public const int KernelInfoGetAttributeString = 87;
    public const int KernelContextGetInputCount = 88;
    public const int KernelContextGetInput = 90;
    public const int KernelContextGetOutput = 91;
    public const int ReleaseEnv = 92;
    public const int ReleaseStatus = 93;
    public const int ReleaseSession = 95;
    public const int ReleaseTensorTypeAndShapeInfo = 99;
    public const int ReleaseSessionOptions = 100;
    public const int KernelInfoGetAttributeArrayFloat = 162;
    public const int KernelInfoGetAttributeArrayInt64 = 163;
    public const int KernelInfoGetNodeName = 244;
    public const int KernelInfoGetLogger = 245;
    public const int KernelContextGetLogger = 246;
    public const int LoggerLogMessage = 247;
    public const int LoggerGetLoggingSeverityLevel = 248;
    public const int KernelInfoGetConstantInputTensor = 249;
    public const int SetUserLoggingFunction = 266;
    public const int ShapeInferContextGetInputTypeShape = 268;
    public const int ShapeInferContextGetAttribute = 269;
    public const int ShapeInferContextSetOutputTypeShape = 270;
    public const int SetSymbolicDimensions = 271;
    public const int ReadOpAttr = 272;
    public const int KernelContextParallelFor = 274;
    public const int GetKeyValue = 297;
    public const int ReleaseKeyValuePairs = 300;
    public const int KernelInfoGetConfigEntries = 391;
    public const int GetTensorElementTypeAndShapeDataReference = 414;
}
