using System.Runtime.Intrinsics;

namespace NestQuant.RuntimeOps.Kernels.Arm64;

/// <summary>
/// The instructions of arm64 that no operation of <see cref="Vector128"/> stands for. The tiers' loops are written over them and nothing
/// else of the processor, so that they can also be run where there is no arm64. Sums are 32-bit, modulo 2^32.
/// </summary>
internal interface INeon
{
    /// <summary>Adds four neighbouring bytes to each sum.</summary>
    static abstract Vector128<int> AddFours(Vector128<int> sums, Vector128<sbyte> values);

    /// <summary>Adds the products of two neighbours to each sum, those of the first eight bytes.</summary>
    static abstract Vector128<int> AddPairsLower(Vector128<int> sums, Vector128<sbyte> a, Vector128<sbyte> b);

    /// <summary>Adds the products of two neighbours to each sum, those of the last eight bytes.</summary>
    static abstract Vector128<int> AddPairsUpper(Vector128<int> sums, Vector128<sbyte> a, Vector128<sbyte> b);

    /// <summary>Adds a product to each sum, those of the first four 16-bit numbers.</summary>
    static abstract Vector128<int> AddProductsLower(Vector128<int> sums, Vector128<short> a, Vector128<short> b);

    /// <summary>Adds a product to each sum, those of the last four 16-bit numbers.</summary>
    static abstract Vector128<int> AddProductsUpper(Vector128<int> sums, Vector128<short> a, Vector128<short> b);
}
