namespace NestQuant.Data.Pictures;

/// <summary>
/// How much memory decoding one picture may take: in proportion to the file, with a share for the pictures that compress well. A header
/// costs a few bytes and may claim anything, so what it claims is checked before anything is allocated.
/// </summary>
/// <param name="FileBytes">Bytes of the file.</param>
internal readonly record struct DecodingBudget(long FileBytes)
{
    /// <summary>What any picture may take; photographs of 24 megapixels fit.</summary>
    private const long BaseBytes = 144L << 20;

    /// <summary>Longest side, so that what depends on one extent alone stays small.</summary>
    private const int MaxExtent = 1 << 16;

    /// <summary>Fails when a picture is not worth decoding.</summary>
    /// <param name="width">Pixels in a line.</param>
    /// <param name="height">Lines.</param>
    /// <param name="bytes">Most memory that decoding takes at a time.</param>
    /// <exception cref="InvalidDataException">It has no pixels, or takes more memory than the budget.</exception>
    public void Verify(long width, long height, long bytes)
    {
        if (width < 1 || height < 1)
            throw new InvalidDataException("it has no pixels");
        if (width > MaxExtent || height > MaxExtent || bytes > BaseBytes + FileBytes)
            throw new InvalidDataException($"its {width} x {height} pixels are too many to decode: scale the picture down");
    }
}
