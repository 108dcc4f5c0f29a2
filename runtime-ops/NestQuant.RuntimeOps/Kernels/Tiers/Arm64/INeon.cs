using System.Runtime.Intrinsics;

namespace NestQuant.RuntimeOps.Kernels.Tiers.Arm64;

/// <summary>
/// The arm64 instructions that have no equivalent in <see cref="Vector128"/>. The tiers' loops use no other processor-specific
/// instructions, so that they can also run without an arm64 processor. Accumulators are 32-bit, modulo 2^32.
/// </summary>
internal interface INeon
{
    /// <summary>Adds four neighbouring bytes to each accumulator.</summary>
    static abstract Vector128<int> AddFours(Vector128<int> accumulators, Vector128<sbyte> values);

    /// <summary>Adds the products of two neighbouring bytes to each accumulator, for the first eight bytes.</summary>
    static abstract Vector128<int> AddPairsLower(Vector128<int> accumulators, Vector128<sbyte> a, Vector128<sbyte> b);

    /// <summary>Adds the products of two neighbouring bytes to each accumulator, for the last eight bytes.</summary>
    static abstract Vector128<int> AddPairsUpper(Vector128<int> accumulators, Vector128<sbyte> a, Vector128<sbyte> b);

    /// <summary>Adds a product to each accumulator, for the first four 16-bit numbers.</summary>
    static abstract Vector128<int> AddProductsLower(Vector128<int> accumulators, Vector128<short> a, Vector128<short> b);

    /// <summary>Adds a product to each accumulator, for the last four 16-bit numbers.</summary>
    static abstract Vector128<int> AddProductsUpper(Vector128<int> accumulators, Vector128<short> a, Vector128<short> b);
}
