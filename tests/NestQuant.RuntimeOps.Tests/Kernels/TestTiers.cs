using NestQuant.RuntimeOps.Kernels;

namespace NestQuant.RuntimeOps.Tests.Kernels;

/// <summary>The tiers to test: those that can run here, and the tests' own.</summary>
internal static class TestTiers
{
    private static readonly ByteRowsTier ByteRows = new();

    /// <summary>The tiers of the library that can run here.</summary>
    public static TheoryData<string> OfTheLibrary()
    {
        TheoryData<string> names = ["portable"];
        if (System.Runtime.Intrinsics.X86.Avx2.IsSupported)
            names.Add("avx2");
        return names;
    }

    /// <summary>Those of the library, and one that multiplies rows of bytes.</summary>
    public static TheoryData<string> All() => [.. OfTheLibrary().Select<object[], string>(static row => (string)row[0]), ByteRows.Name];

    public static KernelTier Get(string name) => name == ByteRows.Name ? ByteRows : KernelTier.Select(name);
}
