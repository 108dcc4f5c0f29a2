namespace NestQuant.RuntimeOps.Kernels.Convolutions.ImplicitGemm;

/// <summary>
/// The input under a few lines of the output, copied once with its padding, so that every output position has its activations at the same
/// distances; a pointwise convolution reads its input in place.
/// </summary>
/// <remarks>
/// Lines are grouped by their number modulo the vertical stride, one group after another,
/// <c>[remainder][line][column][C]</c>, and a line is a multiple of the horizontal stride wide. So the position to the right is always <see
/// cref="RowStride"/> bytes further, and the one below <see cref="Pitch"/> positions further: positions are rows of one matrix, across
/// lines.
/// </remarks>
internal sealed unsafe class InputBand
{
    // Limit for the input under a single line of the output, which only absurdly dilated kernels exceed; these use the gathering kernel.
    private const long MostBytes = 16 << 20;

    // The last position's segment is extended to a multiple of 4 bytes.
    private const int Slack = 4;

    private readonly ConvolutionGeometry _geometry;
    private readonly int[] _remainders;
    private readonly int _extraLines;
    private readonly int _lineBytes;

    /// <summary>Describes bands.</summary>
    /// <param name="geometry">A convolution to which <see cref="Applies"/>.</param>
    public InputBand(ConvolutionGeometry geometry)
    {
        _geometry = geometry;
        IsInPlace = geometry.IsPointwise && geometry.ChannelsPerGroup % 4 == 0;
        ref readonly ConvolutionAxis height = ref geometry.Height;
        ref readonly ConvolutionAxis width = ref geometry.Width;
        _remainders = Remainders(height);
        _extraLines = (int)((height.Kernel - 1L) * height.Dilation / height.Stride);
        Pitch = (int)((geometry.Width.Extent(geometry.Width.Output) + width.Stride - 1) / width.Stride);
        RowStride = (IsInPlace ? 1 : width.Stride) * geometry.InputChannels;
        _lineBytes = Pitch * RowStride;
    }

    /// <summary>Whether the rows can be read from the input in place.</summary>
    public bool IsInPlace { get; }

    /// <summary>Positions from one line of the output to the next; the output's lines are shorter where there is padding.</summary>
    public int Pitch { get; }

    /// <summary>Bytes from one position to the next.</summary>
    public int RowStride { get; }

    /// <summary>Whether the input under a line of the output is of reasonable size.</summary>
    public static bool Applies(ConvolutionGeometry geometry)
    {
        long lines = (geometry.Height.Kernel - 1L) * geometry.Height.Dilation + geometry.Height.Stride;
        long lineBytes = (geometry.Width.Extent(geometry.Width.Output) + geometry.Width.Stride) * geometry.InputChannels;
        return lines <= MostBytes && lineBytes <= MostBytes && lines * lineBytes <= MostBytes;
    }

    /// <summary>Bytes of a band.</summary>
    /// <param name="lines">Lines of the output.</param>
    public long Bytes(int lines) => IsInPlace ? 0 : _remainders.LongLength * (lines + (long)_extraLines) * _lineBytes + Slack;

    /// <summary>Offsets of a row's chunks, in bytes from the start of the row.</summary>
    /// <param name="plan">The chunks.</param>
    /// <param name="lines">Lines of the output for which the band is made.</param>
    public nint[] ChunkOffsets(ChunkPlan plan, int lines)
    {
        nint[] offsets = new nint[plan.Chunks];
        int columns = plan.HasMergedTaps ? 1 : _geometry.Width.Kernel;
        for (int segment = 0; segment < plan.Segments; segment++)
        {
            (int ky, int kx) = Math.DivRem(segment, columns);
            (long line, long remainder) = Math.DivRem((long)ky * _geometry.Height.Dilation, _geometry.Height.Stride);
            line += Array.IndexOf(_remainders, (int)remainder) * ((long)lines + _extraLines);
            long start = line * _lineBytes + (long)kx * _geometry.Width.Dilation * _geometry.InputChannels;
            for (int chunk = 0; chunk < plan.ChunksPerSegment; chunk++)
                offsets[segment * plan.ChunksPerSegment + chunk] = (nint)(start + plan.ChunkStart(chunk));
        }

        return offsets;
    }

    /// <summary>Copies the input under lines of the output, with the zero point in the padding.</summary>
    /// <param name="data">The tensors.</param>
    /// <param name="block">The lines.</param>
    /// <param name="lines">Lines for which the band is made, at least those of the block.</param>
    /// <param name="band">Receives <see cref="Bytes"/> bytes.</param>
    public void Copy(in ConvolutionData data, in RowBlock block, int lines, byte* band)
    {
        // In bounds: lines inside the image are read as far as they are wide; every remainder has lines + _extraLines lines of _lineBytes,
        // of which the block's are written, and only these are read.
        ref readonly ConvolutionAxis height = ref _geometry.Height;
        ref readonly ConvolutionAxis width = ref _geometry.Width;
        int channels = _geometry.InputChannels;
        byte zeroPoint = (byte)data.XZeroPoint;
        int before = (int)Math.Min((long)width.PadBegin * channels, _lineBytes);
        int copied = (int)Math.Min((long)width.Input * channels, _lineBytes - before);
        for (int remainder = 0; remainder < _remainders.Length; remainder++)
        {
            byte* target = band + remainder * ((long)lines + _extraLines) * _lineBytes;
            long y = (long)block.FirstLine * height.Stride - height.PadBegin + _remainders[remainder];
            for (int line = 0; line < block.Lines + _extraLines; line++, y += height.Stride, target += _lineBytes)
            {
                if ((ulong)y >= (ulong)height.Input)
                {
                    new Span<byte>(target, _lineBytes).Fill(zeroPoint);
                    continue;
                }

                new Span<byte>(target, before).Fill(zeroPoint);
                byte* source = data.X + ((long)block.Image * height.Input + y) * width.Input * channels;
                Buffer.MemoryCopy(source, target + before, copied, copied);
                new Span<byte>(target + before + copied, _lineBytes - before - copied).Fill(zeroPoint);
            }
        }
    }

    /// <summary>The remainders of the taps of a column, in the order of the taps.</summary>
    private static int[] Remainders(ConvolutionAxis height) =>
        height.Kernel == 1 || height.Stride == 1
            ? [0]
            : [.. Enumerable.Range(0, height.Kernel).Select(tap => (int)((long)tap * height.Dilation % height.Stride)).Distinct()];
}
