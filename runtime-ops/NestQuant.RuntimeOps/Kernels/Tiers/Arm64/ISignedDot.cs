using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;

namespace NestQuant.RuntimeOps.Kernels.Tiers.Arm64;

/// <summary>The one instruction that the dot-product tier needs besides those of <see cref="INeon"/>.</summary>
internal interface ISignedDot
{
    /// <summary>
    /// Adds four products of signed bytes to each 32-bit accumulator, modulo 2^32: its four weights by the chosen four activations.
    /// </summary>
    /// <param name="accumulators">Four accumulators.</param>
    /// <param name="weights">Four weights for each accumulator.</param>
    /// <param name="x">Four times four activations.</param>
    /// <param name="four">Which four of <paramref name="x"/> multiply the weights of every accumulator.</param>
    static abstract Vector128<int> Add(
        Vector128<int> accumulators, Vector128<sbyte> weights, Vector128<sbyte> x, [ConstantExpected(Max = (byte)3)] byte four);
}

/// <summary>SDOT, of the dot product extension (FEAT_DotProd), which processors have since ARMv8.4 and many had before.</summary>
internal readonly struct NeonDot : ISignedDot
{
    /// <summary>Whether this process can run the instruction.</summary>
    public static bool IsSupported => Dp.IsSupported;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<int> Add(
        Vector128<int> accumulators, Vector128<sbyte> weights, Vector128<sbyte> x, [ConstantExpected(Max = (byte)3)] byte four) =>
        Dp.DotProductBySelectedQuadruplet(accumulators, weights, x, four);
}
