using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using X86Avx2 = System.Runtime.Intrinsics.X86.Avx2;

namespace NestQuant.RuntimeOps.Kernels.Tiers.Avx2;

/// <summary>
/// Strip kernels without exact products of bytes: strips are widened to 16 bits as they are interleaved, once for all outputs that use
/// them, and vpmaddwd multiplies two lines of a column for each of eight channels, exactly for any weights.
/// </summary>
/// <remarks>
/// A tap of weights is <c>[slice 4][pair of lines 2][channel 8][line 2]</c>, in 16 bits (<see cref="StripSlices"/>). A column of a strip
/// has the same form, but its pairs may be exchanged: where a step's first two lines are the last two of the step before, that pair stays
/// where it is, and the step's last two lines take the place of the other.
/// </remarks>
internal sealed unsafe class PairStrips : StripKernel
{
    private const int Channels = KernelTier.TileChannels;

    // Outputs whose accumulators are in registers at a time.
    private const int BlockRows = 8;

    private const int TapBytes = ColumnValues * sizeof(short);
    private const int SliceBytes = TapBytes / StripSlices.Count;
    private const int Vector = 32;

    /// <inheritdoc/>
    public override int ValueBytes => sizeof(short);

    /// <inheritdoc/>
    public override void Pad(byte* strip, int columns, byte value) => new Span<short>(strip, columns * ColumnValues).Fill(value);

    /// <inheritdoc/>
    [MethodImpl(MethodCompilation.Loops)]
    public override void PrepareWeights(sbyte* weights, int taps)
    {
        // In bounds: a tap takes 128 bytes and becomes 256. The last one moves first, and a tap's bytes are loaded before they are
        // replaced.
        for (int tap = taps - 1; tap >= 0; tap--)
        {
            int* source = (int*)(weights + tap * ColumnValues);
            short* target = (short*)weights + tap * ColumnValues;
            Vector256<int> w0 = StripSlices.Load(source, 0), w1 = StripSlices.Load(source, 1);
            Vector256<int> w2 = StripSlices.Load(source, 2), w3 = StripSlices.Load(source, 3);
            Widen(w0.AsByte(), target);
            Widen(w1.AsByte(), target + 32);
            Widen(w2.AsByte(), target + 64);
            Widen(w3.AsByte(), target + 96);
        }
    }

    /// <inheritdoc/>
    [SkipLocalsInit]
    [MethodImpl(MethodCompilation.Loops)]
    public override void Run(StripArguments* arguments, int linesPerStep)
    {
        // In bounds: all groups of a step have their 4 lines, and those of the step before lie just before them.
        SliceEpilogue epilogue = new(*arguments->Epilogue);
        byte** lines = arguments->Lines;
        byte* y = arguments->Y;
        nint groupBytes = arguments->InsideColumns * TapBytes + arguments->GroupGap;
        nint stepLines = (nint)(arguments->InsideEnd - arguments->Inside) / groupBytes * GroupLines;
        nint first = 0;
        for (nint step = 0; step < arguments->Steps; step++, lines += stepLines)
        {
            bool keepsPair = step > 0;
            for (nint line = 0; line < stepLines && keepsPair; line += GroupLines)
                keepsPair = lines[line] == lines[line - stepLines + 2] && lines[line + 1] == lines[line - stepLines + 3];
            first = keepsPair ? Vector - first : 0;
            for (nint line = 0; line < stepLines; line += GroupLines)
            {
                byte* target = arguments->Inside + line / GroupLines * groupBytes;
                if (!keepsPair)
                    Interleave(arguments, lines + line, target);
                Interleave(arguments, lines + line + 2, target + Vector - first);
            }

            for (int line = 0; line < linesPerStep; line++, y += arguments->LineStride)
                ComputeLine(arguments, line == 0 ? arguments->Weights : arguments->SecondWeights, first, &epilogue, y);
        }
    }

    /// <summary>Eight channels of a tap.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Widen(Vector256<byte> weights, short* target)
    {
        // The weight is the upper byte of each 16-bit number first.
        Vector256<byte> firstPair = Vector256.Create(
            -1, 0, -1, 1, -1, 4, -1, 5, -1, 8, -1, 9, -1, 12, -1, 13, -1, 0, -1, 1, -1, 4, -1, 5, -1, 8, -1, 9, -1, 12, -1, 13).AsByte();
        Vector256<byte> secondPair = Vector256.Create(
            -1, 2, -1, 3, -1, 6, -1, 7, -1, 10, -1, 11, -1, 14, -1, 15, -1, 2, -1, 3, -1, 6, -1, 7, -1, 10, -1, 11, -1, 14, -1, 15)
            .AsByte();
        (X86Avx2.Shuffle(weights, firstPair).AsInt16() >> 8).Store(target);
        (X86Avx2.Shuffle(weights, secondPair).AsInt16() >> 8).Store(target + 16);
    }

    /// <summary>Fills one pair of lines of a group's inside columns.</summary>
    [SkipLocalsInit]
    [MethodImpl(MethodCompilation.Loops)]
    private static void Interleave(StripArguments* arguments, byte** lines, byte* target)
    {
        // In bounds: 32 bytes of both lines at each inside column, or as many as the panel has channels, which are copied first; a pair of
        // the strip's column.
        byte* first = lines[0] + arguments->FirstByte, second = lines[1] + arguments->FirstByte;
        nint stride = arguments->PositionStride;
        byte* end = target + arguments->InsideColumns * TapBytes;
        if (arguments->Channels == Channels)
        {
            for (; target != end; target += TapBytes, first += stride, second += stride)
                InterleaveColumn(Vector256.Load(first), Vector256.Load(second), target);
            return;
        }

        int channels = (int)arguments->Channels;
        byte* copies = stackalloc byte[2 * Channels];
        for (; target != end; target += TapBytes, first += stride, second += stride)
        {
            ByteRuns.Copy(first, channels, copies);
            ByteRuns.Copy(second, channels, copies + Channels);
            InterleaveColumn(LoadHalves(copies), LoadHalves(copies + Channels), target);
        }
    }

    /// <summary>Half a vector at a time: a load as wide as two stores just before it would wait for both.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<byte> LoadHalves(byte* bytes) =>
        Vector256.Create(Vector128.Load(bytes), Vector128.Load(bytes + Vector128<byte>.Count));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void InterleaveColumn(Vector256<byte> first, Vector256<byte> second, byte* target)
    {
        Vector256<byte> low = X86Avx2.UnpackLow(first, second), high = X86Avx2.UnpackHigh(first, second), zero = Vector256<byte>.Zero;
        X86Avx2.UnpackLow(low, zero).Store(target);
        X86Avx2.UnpackHigh(low, zero).Store(target + SliceBytes);
        X86Avx2.UnpackLow(high, zero).Store(target + 2 * SliceBytes);
        X86Avx2.UnpackHigh(high, zero).Store(target + 3 * SliceBytes);
    }

    /// <summary>One output line.</summary>
    /// <param name="arguments">What to compute.</param>
    /// <param name="weights">The line's weights.</param>
    /// <param name="first">Bytes from the start of a slice of the strip to its first pair of lines: 0 or 32.</param>
    /// <param name="epilogue">The panel's factors.</param>
    /// <param name="y">The first output.</param>
    [SkipLocalsInit]
    [MethodImpl(MethodCompilation.Loops)]
    private static void ComputeLine(StripArguments* arguments, sbyte* weights, nint first, SliceEpilogue* epilogue, byte* y)
    {
        byte* memory = stackalloc byte[BlockRows * Channels * sizeof(int) + Alignment];
        int* accumulators = (int*)(((nint)memory + Alignment - 1) & -Alignment);
        byte* x = arguments->Strip;
        int columns = (int)arguments->Columns, channels = (int)arguments->Channels;
        for (int column = 0; column < columns; column += BlockRows, x += BlockRows * arguments->ColumnStep)
        {
            int rows = Math.Min(BlockRows, columns - column);
            Multiply(arguments, weights + first, Vector - 2 * first, x, rows, epilogue->Starts, accumulators);
            epilogue->Store(accumulators, rows, channels, y, arguments->RowStride);
            y += rows * arguments->RowStride;
        }
    }

    /// <summary>Eight outputs: eight accumulators share the weights of eight channels.</summary>
    [MethodImpl(MethodCompilation.Loops)]
    private static void Multiply(
        StripArguments* arguments, sbyte* weights, nint toSecond, byte* strip, int rows, int* starts, int* accumulators)
    {
        // In bounds: 64 bytes of the strip and of the weights for each slice at every tap of the outputs, and 8 rows of accumulators;
        // missing outputs repeat the last one.
        nint last = rows - 1, step = arguments->ColumnStep;
        nint s1 = Math.Min(1, last) * step, s2 = Math.Min(2, last) * step, s3 = Math.Min(3, last) * step, s4 = Math.Min(4, last) * step;
        nint s5 = Math.Min(5, last) * step, s6 = Math.Min(6, last) * step, s7 = Math.Min(7, last) * step;
        for (nint slice = 0; slice < StripSlices.Count; slice++)
        {
            Vector256<int> a0 = Vector256.Load(starts);
            Vector256<int> a1 = a0, a2 = a0, a3 = a0, a4 = a0, a5 = a0, a6 = a0, a7 = a0;
            sbyte* w = weights;
            nint* tap = arguments->TapOffsets;
            for (nint* end = tap + arguments->Taps; tap < end; tap++, w += TapBytes)
            {
                byte* x = strip + *tap;
                Vector256<short> w0 = Vector256.Load((short*)w), w1 = Vector256.Load((short*)(w + toSecond));
                a0 = Add(a0, x, w0, w1);
                a1 = Add(a1, x + s1, w0, w1);
                a2 = Add(a2, x + s2, w0, w1);
                a3 = Add(a3, x + s3, w0, w1);
                a4 = Add(a4, x + s4, w0, w1);
                a5 = Add(a5, x + s5, w0, w1);
                a6 = Add(a6, x + s6, w0, w1);
                a7 = Add(a7, x + s7, w0, w1);
            }

            a0.Store(accumulators);
            a1.Store(accumulators + Channels);
            a2.Store(accumulators + 2 * Channels);
            a3.Store(accumulators + 3 * Channels);
            a4.Store(accumulators + 4 * Channels);
            a5.Store(accumulators + 5 * Channels);
            a6.Store(accumulators + 6 * Channels);
            a7.Store(accumulators + 7 * Channels);
            weights += SliceBytes;
            strip += SliceBytes;
            starts += StripSlices.Channels;
            accumulators += StripSlices.Channels;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> Add(Vector256<int> sum, byte* x, Vector256<short> w0, Vector256<short> w1)
    {
        sum += X86Avx2.MultiplyAddAdjacent(w0, Vector256.Load((short*)x));
        return sum + X86Avx2.MultiplyAddAdjacent(w1, Vector256.Load((short*)(x + Vector)));
    }
}
