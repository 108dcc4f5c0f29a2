using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;

namespace NestQuant.RuntimeOps.Kernels.Arm64;

/// <summary>
/// The instructions of arm64 that no operation of <see cref="Vector128"/> stands for. The tier's loops are written over them and nothing
/// else of the processor, so that they can also be run where there is no arm64.
/// </summary>
internal interface INeon
{
    /// <summary>Adds four products of signed bytes to each 32-bit sum: byte i of its four weights by byte i of the chosen activations.</summary>
    /// <param name="sums">Four sums, modulo 2^32.</param>
    /// <param name="weights">Four weights for each sum.</param>
    /// <param name="x">Four times four activations.</param>
    /// <param name="four">Which four of <paramref name="x"/> multiply the weights of every sum.</param>
    static abstract Vector128<int> Dot(Vector128<int> sums, Vector128<sbyte> weights, Vector128<sbyte> x, [ConstantExpected(Max = (byte)3)] byte four);

    /// <summary>Adds the products of the first four 16-bit numbers.</summary>
    static abstract Vector128<int> MultiplyAddLower(Vector128<int> sums, Vector128<short> a, Vector128<short> b);

    /// <summary>Adds the products of the last four 16-bit numbers.</summary>
    static abstract Vector128<int> MultiplyAddUpper(Vector128<int> sums, Vector128<short> a, Vector128<short> b);
}

/// <summary>SDOT, which needs the dot product extension (FEAT_DotProd, part of ARMv8.4), SMLAL and SMLAL2.</summary>
internal readonly struct NeonDot : INeon
{
    /// <summary>Whether this process can run the instructions.</summary>
    public static bool IsSupported => Dp.IsSupported;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<int> Dot(Vector128<int> sums, Vector128<sbyte> weights, Vector128<sbyte> x, [ConstantExpected(Max = (byte)3)] byte four) =>
        Dp.DotProductBySelectedQuadruplet(sums, weights, x, four);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<int> MultiplyAddLower(Vector128<int> sums, Vector128<short> a, Vector128<short> b) =>
        AdvSimd.MultiplyWideningLowerAndAdd(sums, a.GetLower(), b.GetLower());

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<int> MultiplyAddUpper(Vector128<int> sums, Vector128<short> a, Vector128<short> b) =>
        AdvSimd.MultiplyWideningUpperAndAdd(sums, a, b);
}
