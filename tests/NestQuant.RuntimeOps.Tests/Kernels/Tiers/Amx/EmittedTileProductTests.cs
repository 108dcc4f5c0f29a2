using NestQuant.RuntimeOps.Kernels.Emission;
using NestQuant.RuntimeOps.Kernels.Tiers.Amx;

namespace NestQuant.RuntimeOps.Tests.Kernels.Tiers.Amx;

public unsafe class EmittedTileProductTests
{
    private static readonly ProcessorFeatures Capable = new(0, 0, 0, Leaf7Edx: 1 << 24 | 1 << 25);

    [Fact]
    public void Without_the_instructions_nothing_is_asked_for()
    {
        foreach (ProcessorFeatures features in new[] { default, Capable with { Leaf7Edx = 1 << 24 }, Capable with { Leaf7Edx = 1 << 25 } })
            Assert.Equal((null, "this processor does not have AMX-INT8"), EmittedTileProduct.Load(features, NoRequest, NoMapping));
    }

    [Fact]
    public void Where_the_system_lends_no_tiles_there_are_no_kernels_but_a_reason() =>
        Assert.Equal((null, "the system refuses the tile registers"), EmittedTileProduct.Load(Capable, Refused, NoMapping));

    [Fact]
    public void Where_executable_memory_is_forbidden_there_are_no_kernels_but_a_reason() =>
        Assert.Equal((null, "the system forbids executable memory"), EmittedTileProduct.Load(Capable, Lent, Forbidden));

    private static bool NoRequest(out string? refusal) => throw new InvalidOperationException("asked for");

    private static bool Lent(out string? refusal)
    {
        refusal = null;
        return true;
    }

    private static bool Refused(out string? refusal)
    {
        refusal = "the system refuses the tile registers";
        return false;
    }

    private static byte* NoMapping(ReadOnlySpan<byte> code, out string? refusal) => throw new InvalidOperationException("mapped");

    private static byte* Forbidden(ReadOnlySpan<byte> code, out string? refusal)
    {
        refusal = "the system forbids executable memory";
        return null;
    }
}
