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

    // Which remainders of a line by the vertical stride, and of a column by the horizontal one, any tap reads.
    private readonly bool[] _readsLines, _readsPhases;

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
        _readsPhases = Remainders(geometry.Width);
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
        // In bounds: columns before the padding and after the input are those of zeros, and so are such lines.
        ConvolutionAxis height = _geometry.Height, width = _geometry.Width;
        for (int line = 0; line < _lines; line++, band += _lineStride)
        {
            if (!_readsLines[line % height.Stride])
                continue;
            int source = line - height.PadBegin;
            if (source < 0 || source >= height.Input)
            {
                new Span<float>(band, (int)_lineStride).Clear();
                continue;
            }

            for (int phase = 0; phase < width.Stride; phase++)
            {
                if (_readsPhases[phase])
                    CopyPhase(plane + (nint)source * width.Input, phase, band + (nint)phase * _columns);
            }
        }
    }

    private static bool[] Remainders(in ConvolutionAxis axis)
    {
        bool[] isRead = new bool[axis.Stride];
        for (int tap = 0; tap < axis.Kernel; tap++)
            isRead[(long)tap * axis.Dilation % axis.Stride] = true;
        return isRead;
    }

    /// <summary>Copies every stride-th column of a line.</summary>
    [MethodImpl(MethodCompilation.Loops)]
    private void CopyPhase(float* line, int phase, float* target)
    {
        // In bounds: columns from first to end, times the stride and less the padding, are those of the input, and so is what lies between
        // them.
        const int four = 4;
        ConvolutionAxis width = _geometry.Width;
        int first = Math.Clamp((width.PadBegin - phase + width.Stride - 1) / width.Stride, 0, _columns);
        long inside = ((long)width.Input + width.PadBegin - phase + width.Stride - 1) / width.Stride;
        int end = (int)Math.Clamp(inside, first, _columns);
        float* source = line + (nint)first * width.Stride + phase - width.PadBegin;
        new Span<float>(target, first).Clear();
        if (width.Stride == 1)
        {
            new ReadOnlySpan<float>(source, end - first).CopyTo(new Span<float>(target + first, end - first));
        }
        else
        {
            int column = first;
            for (; Sse.IsSupported && width.Stride == 2 && column < end - four; column += four, source += 2 * four)
                Sse.Shuffle(Vector128.Load(source), Vector128.Load(source + four), 0b10_00_10_00).Store(target + column);
            for (; column < end; column++, source += width.Stride)
                target[column] = *source;
        }

        new Span<float>(target + end, _columns - end).Clear();
    }
}
