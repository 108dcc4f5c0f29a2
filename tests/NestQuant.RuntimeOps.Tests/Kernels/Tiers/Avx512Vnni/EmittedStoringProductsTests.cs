using NestQuant.RuntimeOps.Kernels.Tiers;
using NestQuant.RuntimeOps.Kernels.Tiers.Avx512Vnni;

namespace NestQuant.RuntimeOps.Tests.Kernels.Tiers.Avx512Vnni;

public unsafe class EmittedStoringProductsTests
{
    private int _mappings;

    [Theory]
    [InlineData(12, 12, 5, true)]
    [InlineData(12, 12, 4, false)]
    [InlineData(5, 8, 3, true)]
    [InlineData(4, 8, 100, false)]
    public void Code_is_emitted_once_where_most_rows_are_stored_with_the_product(int rows, int storedRows, int groups, bool isEmitted)
    {
        EmittedStoringProducts products = new(Refuse);
        for (int i = 0; i < 3; i++)
            Assert.False(TryRun(products, rows, storedRows, groups));
        Assert.Equal(isEmitted ? 1 : 0, _mappings);
    }

    private static bool TryRun(EmittedStoringProducts products, int rows, int storedRows, int groups)
    {
        nint* chunks = stackalloc nint[1];
        TileArguments arguments = new() { Chunks = chunks, EndOfChunks = chunks + 1, ChunkGroups = groups };
        PanelEpilogue epilogue = default;
        return products.TryRun(&arguments, rows, new CompleteRows(null, storedRows, 32, &epilogue, null, 0));
    }

    private byte* Refuse(ReadOnlySpan<byte> code, out string? refusal)
    {
        _mappings++;
        refusal = "the system forbids executable memory";
        return null;
    }
}
