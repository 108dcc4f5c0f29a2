using NestQuant.RuntimeOps.Kernels.Tiers;
using NestQuant.RuntimeOps.Kernels.Tiers.AvxVnni;
using NestQuant.RuntimeOps.Tests.Kernels.Tiers.AvxVnni;

namespace NestQuant.RuntimeOps.Tests.Kernels.Convolutions.Strips;

/// <summary>Random arguments of a strip kernel in memory of just the length that they need, and the results by their definition.</summary>
internal sealed unsafe class StripCase
{
    public const int Untouched = 0xA5;

    private readonly Random _random;
    private readonly int[] _lineOffsets;
    private readonly byte _padding;
    private readonly PanelEpilogue _epilogue;

    /// <summary>A panel of a few lines; every number is drawn from the seed.</summary>
    public StripCase(int linesPerStep, bool isQuantized, int channels, int seed)
    {
        _random = new Random(seed);
        LinesPerStep = linesPerStep;
        Channels = channels;
        Steps = _random.Next(1, 4);
        Groups = _random.Next(1, 3);
        Columns = _random.Next(1, 12);
        Stride = _random.Next(1, 3);
        KernelWidth = _random.Next(1, 5);
        StripColumns = (Columns - 1) * Stride + KernelWidth;
        Before = _random.Next(0, Math.Min(3, StripColumns + 1));
        Inside = _random.Next(0, StripColumns - Before + 1);
        PositionStride = channels + _random.Next(0, 9);
        OutputBytes = isQuantized ? sizeof(byte) : sizeof(float);
        RowStride = (channels + _random.Next(0, 5)) * OutputBytes;
        LineStride = Columns * RowStride;

        int lineBytes = Math.Max(0, Inside - 1) * PositionStride + channels;
        _lineOffsets = [.. Enumerable.Range(0, Steps * Groups * StripKernel.GroupLines).Select(_ => _random.Next(4) * lineBytes)];
        for (int line = Groups * StripKernel.GroupLines; line < _lineOffsets.Length && seed % 2 == 0; line++)
        {
            // As with a stride of 2: a step's first two lines are the last two of the step before.
            if (line % StripKernel.GroupLines < 2)
                _lineOffsets[line] = _lineOffsets[line - Groups * StripKernel.GroupLines + 2];
        }

        X = new byte[4 * lineBytes];
        _random.NextBytes(X);
        Weights = new sbyte[linesPerStep * Taps * StripKernel.ColumnValues];
        _random.NextBytes(System.Runtime.InteropServices.MemoryMarshal.AsBytes(Weights.AsSpan()));
        _padding = (byte)_random.Next(256);
        Y = new byte[(Steps * linesPerStep * Columns - 1) * RowStride + channels * OutputBytes];
        Y.AsSpan().Fill(Untouched);
        PanelEpilogue epilogue = new()
        {
            IsQuantized = isQuantized,
            OutputZeroPoint = _random.Next(256),
        };
        epilogue.Least = _random.Next(0, 100) - epilogue.OutputZeroPoint;
        epilogue.Greatest = _random.Next(100, 256) - epilogue.OutputZeroPoint;
        for (int c = 0; c < channels; c++)
        {
            epilogue.Scale[c] = MathF.Pow(10, _random.Next(-4, 3)) * _random.NextSingle();
            epilogue.Bias[c] = (_random.NextSingle() - 0.5f) * 100;
            epilogue.RowCentering[c] = _random.Next(-10000, 10000);
        }

        _epilogue = epilogue;
    }

    public int LinesPerStep { get; }

    public int Channels { get; }

    public byte[] X { get; }

    public sbyte[] Weights { get; }

    public byte[] Y { get; }

    private int Steps { get; }

    private int Groups { get; }

    private int Columns { get; }

    private int Stride { get; }

    private int KernelWidth { get; }

    private int StripColumns { get; }

    private int Before { get; }

    private int Inside { get; }

    private int PositionStride { get; }

    private int OutputBytes { get; }

    private int RowStride { get; }

    private int LineStride { get; }

    private int Taps => Groups * KernelWidth;

    /// <summary>Something that runs a kernel with the arguments, whose other memory is described by these regions.</summary>
    public delegate void Runner(StripArguments* arguments, IReadOnlyList<(nint Address, int Length, bool IsWritable)> memory);

    /// <summary>Checks a kernel that reads strips and weights as bytes.</summary>
    public void Check(Runner run) => Check(new ByteStrips<EmulatedDot>(), run);

    /// <summary>Runs a kernel and checks every byte of the output.</summary>
    /// <param name="kernel">Says what form strips and weights have.</param>
    /// <param name="run">Runs it.</param>
    public void Check(StripKernel kernel, Runner run)
    {
        byte[] expected = Expected();
        int columnBytes = kernel.ColumnBytes, lineBytes = Taps * columnBytes, groupBytes = StripColumns * columnBytes;
        nint[] offsets =
            [.. Enumerable.Range(0, Taps).Select(tap => (nint)(tap / KernelWidth * StripColumns + tap % KernelWidth) * columnBytes)];
        sbyte[] prepared = new sbyte[LinesPerStep * lineBytes];
        byte** lines = stackalloc byte*[_lineOffsets.Length];
        PanelEpilogue epilogue = _epilogue;
        fixed (byte* x = X, y = Y, stripBuffer = new byte[Groups * groupBytes + StripKernel.Alignment])
        fixed (sbyte* weights = prepared)
        fixed (nint* tapOffsets = offsets)
        {
            byte* strip = (byte*)(((nint)stripBuffer + StripKernel.Alignment - 1) & -StripKernel.Alignment);
            kernel.Pad(strip, Groups * StripColumns, _padding);
            for (int line = 0; line < LinesPerStep; line++)
            {
                int lineWeights = Taps * StripKernel.ColumnValues;
                Weights.AsSpan(line * lineWeights, lineWeights).CopyTo(prepared.AsSpan(line * lineBytes));
                kernel.PrepareWeights(weights + line * lineBytes, Taps);
            }

            for (int i = 0; i < _lineOffsets.Length; i++)
                lines[i] = x + _lineOffsets[i];
            byte* inside = strip + Before * columnBytes;
            StripArguments arguments = new()
            {
                Lines = lines,
                Steps = Steps,
                PositionStride = PositionStride,
                InsideColumns = Inside,
                Inside = inside,
                InsideEnd = inside + Groups * groupBytes,
                GroupGap = groupBytes - Inside * columnBytes,
                Strip = strip,
                Columns = Columns,
                ColumnStep = Stride * columnBytes,
                TapOffsets = tapOffsets,
                Taps = Taps,
                Weights = weights,
                SecondWeights = weights + (LinesPerStep - 1) * lineBytes,
                Epilogue = &epilogue,
                Y = y,
                RowStride = RowStride,
                LineStride = LineStride,
                Channels = Channels,
            };
            run(&arguments,
            [
                ((nint)(&arguments), sizeof(StripArguments), true),
                ((nint)lines, _lineOffsets.Length * sizeof(byte*), false),
                ((nint)x, X.Length, false),
                ((nint)strip, Groups * groupBytes, true),
                ((nint)tapOffsets, offsets.Length * sizeof(nint), false),
                ((nint)weights, prepared.Length, false),
                ((nint)(&epilogue), sizeof(PanelEpilogue), false),
                ((nint)y, Y.Length, true),
            ]);
        }

        Assert.Equal(expected, Y);
    }

    private byte[] Expected()
    {
        byte[] y = new byte[Y.Length];
        y.AsSpan().Fill(Untouched);
        fixed (byte* target = y)
        {
            for (int line = 0; line < Steps * LinesPerStep; line++)
            {
                for (int column = 0; column < Columns; column++)
                {
                    for (int channel = 0; channel < Channels; channel++)
                        _epilogue.Write(
                            Sum(line, column, channel) - _epilogue.RowCentering[channel],
                            0,
                            channel,
                            target + line * LineStride + column * RowStride);
                }
            }
        }

        return y;
    }

    private int Sum(int line, int column, int channel)
    {
        int sum = 0;
        for (int tap = 0; tap < Taps; tap++)
        {
            int stripColumn = column * Stride + tap % KernelWidth;
            for (int i = 0; i < StripKernel.GroupLines; i++)
            {
                int input = _lineOffsets[(line / LinesPerStep * Groups + tap / KernelWidth) * StripKernel.GroupLines + i];
                bool isInside = stripColumn >= Before && stripColumn < Before + Inside;
                int x = isInside ? X[input + (stripColumn - Before) * PositionStride + channel] : _padding;
                sum += x * Weights[((line % LinesPerStep * Taps + tap) * KernelTier.TileChannels + channel) * StripKernel.GroupLines + i];
            }
        }

        return sum;
    }
}
