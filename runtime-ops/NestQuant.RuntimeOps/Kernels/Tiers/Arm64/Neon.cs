using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;

namespace NestQuant.RuntimeOps.Kernels.Tiers.Arm64;

/// <summary>SADALP, SMULL and SMLAL, which every arm64 processor has.</summary>
internal readonly struct Neon : INeon
{
    /// <summary>Whether this process can run the instructions.</summary>
    public static bool IsSupported => AdvSimd.Arm64.IsSupported;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<int> AddFours(Vector128<int> accumulators, Vector128<sbyte> values) =>
        AdvSimd.AddPairwiseWideningAndAdd(accumulators, AdvSimd.AddPairwiseWidening(values));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<int> AddPairsLower(Vector128<int> accumulators, Vector128<sbyte> a, Vector128<sbyte> b) =>
        AdvSimd.AddPairwiseWideningAndAdd(accumulators, AdvSimd.MultiplyWideningLower(a.GetLower(), b.GetLower()));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<int> AddPairsUpper(Vector128<int> accumulators, Vector128<sbyte> a, Vector128<sbyte> b) =>
        AdvSimd.AddPairwiseWideningAndAdd(accumulators, AdvSimd.MultiplyWideningUpper(a, b));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<int> AddProductsLower(Vector128<int> accumulators, Vector128<short> a, Vector128<short> b) =>
        AdvSimd.MultiplyWideningLowerAndAdd(accumulators, a.GetLower(), b.GetLower());

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<int> AddProductsUpper(Vector128<int> accumulators, Vector128<short> a, Vector128<short> b) =>
        AdvSimd.MultiplyWideningUpperAndAdd(accumulators, a, b);
}
