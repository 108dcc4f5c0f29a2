namespace NestQuant.Passes.Integer.TransposedConvolutions;

/// <summary>
/// One spatial axis of a transposed convolution as an ordinary one. Of stride s, its results fall into s phases, which are results of
/// ordinary convolutions of the same inputs: every phase is a channel, and the channels are interleaved.
/// </summary>
/// <remarks>
/// Result o is phase <c>(o + CropBegin) % s</c> at position <c>(o + CropBegin) / s</c>. Where the phases start is free: the start is the
/// one with the smallest kernel, and of those the least to crop. Kernels of phases with fewer taps are filled up with zeros.
/// </remarks>
/// <param name="Phases">The stride.</param>
/// <param name="Extent">Extent of the kernel of every phase.</param>
/// <param name="PadBegin">Padding of the ordinary convolution before the first input.</param>
/// <param name="PadEnd">Padding after the last input.</param>
/// <param name="CropBegin">Interleaved results to leave out before the first.</param>
/// <param name="CropEnd">Interleaved results to leave out after the last.</param>
/// <param name="FirstTap">The tap of phase 0 at place 0 of its kernel; may be outside the kernel.</param>
internal sealed record PhaseAxis(int Phases, int Extent, int PadBegin, int PadEnd, int CropBegin, int CropEnd, int FirstTap)
{
    /// <summary>Finds the form of an axis.</summary>
    /// <param name="stride">The stride, at least 1.</param>
    /// <param name="kernel">Extent of the transposed convolution's kernel, at least 1.</param>
    /// <param name="padBegin">Results of the transposed convolution that are left out at the start, at least 0.</param>
    /// <param name="padEnd">Results that are left out at the end, at least 0.</param>
    /// <param name="outputPadding">Results that are added at the end, at least 0.</param>
    /// <returns>Null where so much is left out that the ordinary convolution would need negative padding.</returns>
    public static PhaseAxis? Of(int stride, int kernel, int padBegin, int padEnd, int outputPadding) =>
        Enumerable.Range(0, stride)
            .Select(shift => Shifted(shift, stride, kernel, padBegin, padEnd, outputPadding))
            .OrderBy(static axis => axis.Extent)
            .ThenBy(static axis => axis.CropBegin + axis.CropEnd)
            .FirstOrDefault(static axis => axis.PadBegin >= 0 && axis.PadEnd >= 0);

    /// <summary>The tap of a phase at a place of its kernel; outside the transposed convolution's kernel where there is none.</summary>
    public int Tap(int phase, int place) => FirstTap + phase - (place * Phases);

    private static PhaseAxis Shifted(int shift, int stride, int kernel, int padBegin, int padEnd, int outputPadding)
    {
        // Input i meets tap t in result o where o + padBegin = i * stride + t. With o + shift = q * stride + phase, the inputs that
        // position q meets are q + first to q + last.
        int first = CeilingDivide(padBegin - shift - kernel + 1, stride), last = FloorDivide(padBegin - shift + stride - 1, stride);
        // Of L inputs there are (L - 1) * stride + beyond interleaved results up to the last that is wanted.
        int beyond = shift + kernel + outputPadding - padBegin - padEnd, positions = CeilingDivide(beyond, stride);
        return new PhaseAxis(
            stride,
            last - first + 1,
            -first,
            positions - 1 + last,
            shift,
            (positions * stride) - beyond,
            padBegin - shift - (first * stride));
    }

    private static int FloorDivide(int dividend, int divisor) => (int)Math.Floor((double)dividend / divisor);

    private static int CeilingDivide(int dividend, int divisor) => -FloorDivide(-dividend, divisor);
}
