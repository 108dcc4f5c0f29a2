using NestQuant.RuntimeOps.Interop;
using NestQuant.RuntimeOps.Kernels;
using NestQuant.RuntimeOps.Schema;

namespace NestQuant.RuntimeOps;

/// <summary>The operator set this library registers.</summary>
public static class NestQuantOps
{
    /// <summary>The operators' ONNX domain.</summary>
    public const string Domain = OperatorSet.Domain;

    /// <summary>The domain's version, as a model's opset import names it.</summary>
    public const int Version = OperatorSet.Version;

    /// <summary>
    /// Name of a compiled model's input that selects the precision of a run: int32, a scalar, at least 1. It is also an initializer, so a
    /// run may leave it out.
    /// </summary>
    public const string BitsInput = "nest_bits";

    /// <summary>
    /// Name of the kernels that this process uses, the best for its processor unless the environment forces others: <c>avx2</c>, for
    /// example.
    /// </summary>
    /// <exception cref="PlatformNotSupportedException">The forced kernels are unknown or not supported here.</exception>
    public static string KernelTierName => TierSelection.Current.Name;

    /// <summary>
    /// Path of the native operator library where the package NestQuant.RuntimeOps.Native, or a publish of its own, has put it beside the
    /// application; null where it has not. Hosts of other languages load it; <see cref="SessionOptionsExtensions.RegisterNestQuantOps"/>
    /// needs none.
    /// </summary>
    public static string? LibraryPath => NativeLibraryLocation.Find();

    /// <summary>
    /// Session configuration entry that limits the precision of the session's runs: each uses the lower of it and its <c>bits</c> input,
    /// whose default in a compiled model is full precision. At least 1.
    /// </summary>
    public const string BitsConfigEntry = SessionEntries.Bits;

    /// <summary>
    /// Session configuration entry that lets each node keep decoded weights from run to run: the most bytes per node, with an optional
    /// suffix k, m or g (powers of 1024). Without it, or with 0, nothing is kept. Results do not depend on it.
    /// </summary>
    public const string CacheConfigEntry = SessionEntries.Cache;

    /// <summary>
    /// Session configuration entry for the number of threads within an operator, by which the kernels cut their work; without it, one per
    /// processor is assumed. <see cref="SessionOptionsExtensions.RegisterNestQuantOps"/> sets it to
    /// <c>SessionOptions.IntraOpNumThreads</c> where that is not 0. Results do not depend on it.
    /// </summary>
    public const string ThreadsConfigEntry = SessionEntries.Threads;
}
