using Microsoft.ML.OnnxRuntime;
using NestQuant.Onnx;

namespace NestQuant.Passes.Folding;

/// <summary>
/// Bounds the memory that constant folding may take for what its nodes need besides their results, which only a limit on the allocator
/// itself can do: an operator may make much that nobody sees.
/// </summary>
/// <remarks>
/// The limit is an allocator that is registered with ONNX Runtime for the whole process. So it is for processes that only compile, such as
/// the command line; a host that shares allocators among its own sessions registers its own, which folding then takes.
/// </remarks>
public static class FoldingMemory
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
        // ONNX Runtime's binding takes 32 bits; a model that large is no small input that takes much.
        if (limit > uint.MaxValue || Interlocked.Exchange(ref _registered, 1) == 1) return;
        using var memory = new OrtMemoryInfo(OrtMemoryInfo.allocatorCPU, OrtAllocatorType.ArenaAllocator, 0, OrtMemType.Default);
        using var arena = new OrtArenaCfg((uint)limit, arenaExtendStrategy: 1, initialChunkSizeBytes: -1, maxDeadBytesPerChunk: -1);
        OrtEnv.Instance().CreateAndRegisterAllocator(memory, arena);
    }
}
