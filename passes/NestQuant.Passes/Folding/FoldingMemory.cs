using Microsoft.ML.OnnxRuntime;
using NestQuant.Onnx;

namespace NestQuant.Passes.Folding;

/// <summary>
/// Bounds the memory that nodes need besides their results during constant folding. Only a limit on the allocator itself can do that, since
/// operators allocate scratch memory.
/// </summary>
/// <remarks>
/// The limit is an allocator that is registered with ONNX Runtime for the whole process. So it is meant for processes that only compile,
/// such as the command line; a host that shares allocators among its own sessions registers its own, which folding then uses.
/// </remarks>
internal static class FoldingMemory
{
    private const long BaseBytes = 128 << 20;

    private static int _registered;

    /// <summary>
    /// Registers an allocator with a limit in proportion to a model's constants. Only the first call in a process does anything.
    /// </summary>
    /// <param name="model">The model that is about to be compiled.</param>
    public static void Limit(ModelProto model)
    {
        ArgumentNullException.ThrowIfNull(model);
        long limit = BaseBytes + (4 * FoldingLimits.ConstantBytes(model));
        // ONNX Runtime's binding takes 32 bits; models above that are not the small inputs that this guards against.
        if (limit > uint.MaxValue || Interlocked.Exchange(ref _registered, 1) == 1) return;
        using var memory = new OrtMemoryInfo(OrtMemoryInfo.allocatorCPU, OrtAllocatorType.ArenaAllocator, 0, OrtMemType.Default);
        using var arena = new OrtArenaCfg((uint)limit, arenaExtendStrategy: 1, initialChunkSizeBytes: -1, maxDeadBytesPerChunk: -1);
        OrtEnv.Instance().CreateAndRegisterAllocator(memory, arena);
    }
}
