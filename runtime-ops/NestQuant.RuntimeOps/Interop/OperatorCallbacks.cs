using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using NestQuant.RuntimeOps.Kernels;
using NestQuant.RuntimeOps.Kernels.Tiers;
using NestQuant.RuntimeOps.Schema;

namespace NestQuant.RuntimeOps.Interop;

/// <summary>
/// The functions that ONNX Runtime calls. An exception that leaves one of them ends the process, so each that can fail returns a
/// status instead.
/// </summary>
internal static unsafe class OperatorCallbacks
{
    private const int Required = 0;
    private const int Optional = 1;

    private static int s_isTierTold;

    /// <summary>Sets the callbacks of an operator struct.</summary>
    public static void Fill(OrtCustomOp* op)
    {
        op->GetName = &GetName;
        op->GetExecutionProviderType = &GetExecutionProviderType;
        op->GetInputType = &GetInputType;
        op->GetInputTypeCount = &GetInputTypeCount;
        op->GetOutputType = &GetOutputType;
        op->GetOutputTypeCount = &GetOutputTypeCount;
        op->GetInputCharacteristic = &GetInputCharacteristic;
        op->GetOutputCharacteristic = &GetOutputCharacteristic;
        op->GetInputMemoryType = &GetInputMemoryType;
        op->GetVariadicInputMinArity = &One;
        op->GetVariadicInputHomogeneity = &One;
        op->GetVariadicOutputMinArity = &One;
        op->GetVariadicOutputHomogeneity = &One;
        op->CreateKernelV2 = &CreateKernel;
        op->KernelComputeV2 = &Compute;
        op->KernelDestroy = &Destroy;
        op->InferOutputShape = &InferShape;
        op->GetStartVersion = &StartVersion;
        op->GetEndVersion = &LastVersion;
    }

    private static CustomOperator Operator(OrtCustomOp* op) => (CustomOperator)GCHandle.FromIntPtr(op->Operator).Target!;

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static byte* GetName(OrtCustomOp* op) => op->Name;

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static byte* GetExecutionProviderType(OrtCustomOp* op) => null;

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int GetInputType(OrtCustomOp* op, nuint index)
    {
        InputSchema input = Operator(op).Schema.Inputs[(int)index];
        return (int)(input.OtherType == ElementType.Undefined ? input.Type : ElementType.Undefined);
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static nuint GetInputTypeCount(OrtCustomOp* op) => (nuint)Operator(op).Schema.Inputs.Count;

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int GetOutputType(OrtCustomOp* op, nuint index) => (int)Operator(op).Schema.Output.Type;

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static nuint GetOutputTypeCount(OrtCustomOp* op) => 1;

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int GetInputCharacteristic(OrtCustomOp* op, nuint index) =>
        Operator(op).Schema.Inputs[(int)index].IsOptional ? Optional : Required;

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int GetOutputCharacteristic(OrtCustomOp* op, nuint index) => Required;

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int GetInputMemoryType(OrtCustomOp* op, nuint index) => 0;

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int One(OrtCustomOp* op) => 1;

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int StartVersion(OrtCustomOp* op) => Operator(op).Schema.SinceVersion;

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int LastVersion(OrtCustomOp* op) => OperatorSet.Version;

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void* CreateKernel(OrtCustomOp* op, void** table, void* info, nint* kernel)
    {
        OrtApi api = new(op->Api);
        KernelInstance? instance = null;
        try
        {
            *kernel = 0;
            KernelInfo kernelInfo = new(Operator(op).Schema, api, info);
            instance = new KernelInstance(api, Operator(op).Schema.Name, kernelInfo.NodeName);
            instance.Kernel = Operator(op).CreateKernel(kernelInfo);
            TellTier(kernelInfo);
            *kernel = GCHandle.ToIntPtr(GCHandle.Alloc(instance));
            return null;
        }
        catch (Exception error)
        {
            return Failed(api, instance?.Title ?? Operator(op).Schema.Name, error);
        }
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void* Compute(nint kernel, void* context)
    {
        KernelInstance instance = (KernelInstance)GCHandle.FromIntPtr(kernel).Target!;
        try
        {
            OrtParallelLoop loop = OrtParallelLoop.Rent(instance.Api, context);
            instance.Kernel!.Compute(new KernelContext(instance.Api, context, loop, instance.Title));
            loop.Return();
            return null;
        }
        catch (Exception error)
        {
            return Failed(instance.Api, instance.Title, error);
        }
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void Destroy(nint kernel)
    {
        if (kernel != 0)
            GCHandle.FromIntPtr(kernel).Free();
    }

    // A node that cannot be understood here is left without a shape: creating its kernel then fails with the node's name.
    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void* InferShape(OrtCustomOp* op, void* context)
    {
        try
        {
            Operator(op).InferShape(new ShapeInference(Operator(op).Schema, new OrtApi(op->Api), context));
        }
        catch (Exception error) when (error is OperatorException or OrtCallException or ArgumentException or OverflowException)
        {
            return null;
        }
        catch (Exception error)
        {
            return Failed(new OrtApi(op->Api), Operator(op).Schema.Name, error);
        }

        return null;
    }

    // Once for the process: the tier is the same for all kernels.
    private static void TellTier(KernelInfo info)
    {
        if (Interlocked.Exchange(ref s_isTierTold, 1) == 0 && TierSelection.Remark is { } remark)
            info.Warn(remark, nameof(KernelTier));
    }

    private static void* Failed(OrtApi api, string title, Exception error)
    {
        OrtErrorCode code = error is OperatorException or ArgumentException ? OrtErrorCode.InvalidArgument : OrtErrorCode.Fail;
        bool isExplained = error is OperatorException or ArgumentException or OrtCallException or PlatformNotSupportedException;
        string reason = isExplained ? error.Message : $"{error.GetType().Name}: {error.Message}";
        return api.CreateStatus(code, $"{title}: {reason}");
    }

    private sealed class KernelInstance(OrtApi api, string operatorName, string nodeName)
    {
        public OrtApi Api { get; } = api;

        public string Title { get; } = $"{operatorName} node '{nodeName}'";

        public CustomKernel? Kernel { get; set; }
    }
}
