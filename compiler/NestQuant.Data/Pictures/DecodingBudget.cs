namespace NestQuant.Data.Pictures;

/// <summary>
/// How much memory decoding one picture may take: an amount in proportion to the file, plus a fixed one for pictures that compress well. A
/// header of a few bytes may claim any size, so it is checked before anything is allocated.
/// </summary>
/// <param name="FileBytes">Bytes of the file.</param>
internal readonly record struct DecodingBudget(long FileBytes)
{
    /// <summary>Bytes that any picture may take; photographs of 24 megapixels fit.</summary>
    private const long BaseBytes = 144L << 20;

    /// <summary>Longest side, so that memory in proportion to one extent stays small.</summary>
    private const int MaxExtent = 1 << 16;

    /// <summary>Fails when a picture would take too much memory to decode.</summary>
    /// <param name="width">Pixels in a line.</param>
    /// <param name="height">Lines.</param>
    /// <param name="bytes">Peak memory of decoding.</param>
    /// <exception cref="InvalidDataException">It has no pixels, or takes more memory than the budget.</exception>
    public void Verify(long width, long height, long bytes)
    {
        if (width < 1 || height < 1)
            throw new InvalidDataException("it has no pixels");
        if (width > MaxExtent || height > MaxExtent || bytes > BaseBytes + FileBytes)
            throw new InvalidDataException($"its {width} x {height} pixels are too many to decode: scale the picture down");
    }
}
