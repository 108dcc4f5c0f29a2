using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using NestQuant.RuntimeOps.Kernels.Convolutions;

namespace NestQuant.RuntimeOps.Kernels.WeightOnly;

/// <summary>
/// Where a convolution reads the input of one image, channels second. A pointwise one reads the input itself. Any other reads a copy that
/// has the padding and whose lines are split by the horizontal stride, so that the inputs of neighbouring outputs under one tap are
/// neighbours: [channel][line][column mod stride][column / stride].
/// </summary>
internal sealed unsafe class FloatBand
{
    private readonly ConvolutionGeometry _geometry;
    private readonly int _lines;
    private readonly int _columns;
    private readonly nint _lineStride;

    // Which remainders of a line by the vertical stride any tap reads.
    private readonly bool[] _readsLines;

    // For each remainder of a column by the horizontal stride, the columns of the band that are the input's.
    private readonly (int First, int End)[] _inside;

    /// <summary>Lays out the band of a convolution.</summary>
    public FloatBand(ConvolutionGeometry geometry)
    {
        _geometry = geometry;
        IsInPlace = geometry.IsPointwise;
        _lines = checked((int)geometry.Height.Extent(geometry.Height.Output));
        _columns = checked((int)((geometry.Width.Extent(geometry.Width.Output) - 1) / geometry.Width.Stride + 1));
        _lineStride = (nint)_columns * geometry.Width.Stride;
        PlaneStride = IsInPlace ? (nint)geometry.Height.Input * geometry.Width.Input : _lines * _lineStride;
        // Where the input is read in place, its lines are one.
        RunLength = IsInPlace ? geometry.Height.Output * geometry.Width.Output : geometry.Width.Output;
        _readsLines = Remainders(geometry.Height);
        bool[] readsPhases = Remainders(geometry.Width);
        _inside = [.. readsPhases.Select((isRead, phase) => isRead ? Inside(geometry.Width, phase) : default)];
        TapOffsets = new nint[geometry.Taps];
        for (int tap = 0; tap < TapOffsets.Length; tap++)
        {
            (int line, int column) = Math.DivRem(tap, geometry.Width.Kernel);
            (nint inner, nint phase) = Math.DivRem((nint)column * geometry.Width.Dilation, geometry.Width.Stride);
            TapOffsets[tap] = (nint)line * geometry.Height.Dilation * _lineStride + phase * _columns + inner;
        }
    }

    /// <summary>Whether the input is read where it lies.</summary>
    public bool IsInPlace { get; }

    /// <summary>Floats of one channel.</summary>
    public nint PlaneStride { get; }

    /// <summary>Neighbouring outputs whose inputs are neighbours too; all of them together are a multiple of this.</summary>
    public int RunLength { get; }

    /// <summary>The distance of every tap's input from that of the first.</summary>
    public nint[] TapOffsets { get; }

    /// <summary>Floats of the copy; 0 where there is none.</summary>
    public long Length => IsInPlace ? 0 : (long)PlaneStride * _geometry.InputChannels;

    /// <summary>The distance of a run of outputs' first input from that of the first output.</summary>
    public nint RunOffset(int run) => IsInPlace ? 0 : run * _lineStride * _geometry.Height.Stride;

    /// <summary>Copies one channel.</summary>
    /// <param name="plane">The input's channel.</param>
    /// <param name="band">Receives <see cref="PlaneStride"/> floats.</param>
    public void Copy(float* plane, float* band)
    {
        ClearPadding(band);
        CopyInside(plane, band);
    }

    /// <summary>Writes the zeros around the input, which are the same for all channels.</summary>
    /// <param name="band">Receives those of <see cref="PlaneStride"/> floats that are padding and that a tap reads.</param>
    public void ClearPadding(float* band)
    {
        // In bounds: columns before the input's first and after its last are those of the band.
        ConvolutionAxis height = _geometry.Height;
        for (int line = 0; line < _lines; line++, band += _lineStride)
        {
            if (!_readsLines[line % height.Stride])
                continue;
            bool isInside = line >= height.PadBegin && line - height.PadBegin < height.Input;
            for (int phase = 0; phase < _inside.Length; phase++)
            {
                (int first, int end) = isInside ? _inside[phase] : (_columns, _columns);
                new Span<float>(band + (nint)phase * _columns, first).Clear();
                new Span<float>(band + (nint)phase * _columns + end, _columns - end).Clear();
            }
        }
    }

    /// <summary>Copies one channel without its padding (<see cref="ClearPadding"/>).</summary>
    /// <param name="plane">The input's channel.</param>
    /// <param name="band">Receives those of <see cref="PlaneStride"/> floats that are not padding.</param>
    [MethodImpl(MethodCompilation.Loops)]
    public void CopyInside(float* plane, float* band)
    {
        // In bounds: only lines and columns of the band that are the input's are copied.
        ConvolutionAxis height = _geometry.Height, width = _geometry.Width;
        int end = (int)Math.Min(_lines, (long)height.Input + height.PadBegin);
        for (int line = height.PadBegin; line < end; line++)
        {
            if (height.Stride > 1 && !_readsLines[line % height.Stride])
                continue;
            float* source = plane + (nint)(line - height.PadBegin) * width.Input - width.PadBegin;
            float* target = band + line * _lineStride;
            for (int phase = 0; phase < _inside.Length; phase++, target += _columns)
                CopyPhase(source + phase, target, _inside[phase].First, _inside[phase].End);
        }
    }

    /// <summary>The columns of a phase that are the input's.</summary>
    private (int First, int End) Inside(in ConvolutionAxis width, int phase)
    {
        int first = Math.Clamp((width.PadBegin - phase + width.Stride - 1) / width.Stride, 0, _columns);
        long end = ((long)width.Input + width.PadBegin - phase + width.Stride - 1) / width.Stride;
        return (first, (int)Math.Clamp(end, first, _columns));
    }

    private static bool[] Remainders(in ConvolutionAxis axis)
    {
        bool[] isRead = new bool[axis.Stride];
        for (int tap = 0; tap < axis.Kernel; tap++)
            isRead[(long)tap * axis.Dilation % axis.Stride] = true;
        return isRead;
    }

    /// <summary>Copies every stride-th column of a line.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void CopyPhase(float* line, float* target, int first, int end)
    {
        // In bounds: columns from first to end, times the stride, are those of the input, and so is what lies between them. The last vector
        // of a copy may copy some floats again.
        const int four = 4, eight = 8;
        int stride = _inside.Length, column = first;
        if (stride == 1 && end - first >= eight)
        {
            for (; column < end - eight; column += eight)
                Vector256.Load(line + column).Store(target + column);
            Vector256.Load(line + end - eight).Store(target + end - eight);
            return;
        }

        for (; Sse.IsSupported && stride == 2 && column < end - four; column += four)
        {
            float* source = line + 2 * column;
            Sse.Shuffle(Vector128.Load(source), Vector128.Load(source + four), 0b10_00_10_00).Store(target + column);
        }

        for (; column < end; column++)
            target[column] = line[(nint)column * stride];
    }
}
