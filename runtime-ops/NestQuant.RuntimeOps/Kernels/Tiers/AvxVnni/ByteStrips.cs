using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using NestQuant.RuntimeOps.Kernels.Tiers.Avx2;
using X86Avx2 = System.Runtime.Intrinsics.X86.Avx2;

namespace NestQuant.RuntimeOps.Kernels.Tiers.AvxVnni;

/// <summary>Strip kernels on 256 bits: accumulators of a few outputs at a time, then the epilogue that all x64 tiers share.</summary>
/// <typeparam name="TDot">Multiplies and adds.</typeparam>
internal sealed unsafe class ByteStrips<TDot> : StripKernel
    where TDot : struct, IByteDot
{
    private const int Vector = 32;
    private const int Channels = KernelTier.TileChannels;

    // Outputs between two calls of the epilogue.
    private const int TileRows = 16;

    /// <inheritdoc/>
    [MethodImpl(MethodCompilation.Loops)]
    public override void Run(StripArguments* arguments, int linesPerStep)
    {
        byte** lines = arguments->Lines;
        byte* y = arguments->Y;
        for (nint step = 0; step < arguments->Steps; step++)
        {
            byte* target = arguments->Inside;
            for (; target != arguments->InsideEnd; lines += GroupLines)
                target = Interleave(arguments, lines, target) + arguments->GroupGap;
            for (int line = 0; line < linesPerStep; line++, y += arguments->LineStride)
                ComputeLine(arguments, line == 0 ? arguments->Weights : arguments->SecondWeights, y);
        }
    }

    /// <summary>Fills a group's inside columns.</summary>
    /// <returns>Where the next column would go.</returns>
    [MethodImpl(MethodCompilation.Loops)]
    private static byte* Interleave(StripArguments* arguments, byte** lines, byte* target)
    {
        // In bounds: 32 bytes of each line at each inside column, or as many as the panel has channels, which are copied first.
        byte* copies = stackalloc byte[GroupLines * Channels];
        bool isWhole = arguments->Channels == Channels;
        nint position = arguments->FirstByte;
        for (nint column = 0; column < arguments->InsideColumns; column++, position += arguments->PositionStride, target += ColumnValues)
        {
            byte* line0 = lines[0] + position, line1 = lines[1] + position, line2 = lines[2] + position, line3 = lines[3] + position;
            if (!isWhole)
            {
                line0 = Copy(line0, (int)arguments->Channels, copies);
                line1 = Copy(line1, (int)arguments->Channels, copies + Channels);
                line2 = Copy(line2, (int)arguments->Channels, copies + 2 * Channels);
                line3 = Copy(line3, (int)arguments->Channels, copies + 3 * Channels);
            }

            Vector256<byte> x0 = Vector256.Load(line0), x1 = Vector256.Load(line1), x2 = Vector256.Load(line2), x3 = Vector256.Load(line3);
            Vector256<short> low01 = X86Avx2.UnpackLow(x0, x1).AsInt16(), low23 = X86Avx2.UnpackLow(x2, x3).AsInt16();
            Vector256<short> high01 = X86Avx2.UnpackHigh(x0, x1).AsInt16(), high23 = X86Avx2.UnpackHigh(x2, x3).AsInt16();
            Scatter(X86Avx2.UnpackLow(low01, low23).AsByte(), target);
            Scatter(X86Avx2.UnpackHigh(low01, low23).AsByte(), target + Vector / 2);
            Scatter(X86Avx2.UnpackLow(high01, high23).AsByte(), target + Vector);
            Scatter(X86Avx2.UnpackHigh(high01, high23).AsByte(), target + Vector + Vector / 2);
        }

        return target;
    }

    private static byte* Copy(byte* line, int channels, byte* copy)
    {
        ByteRuns.Copy(line, channels, copy);
        return copy;
    }

    /// <summary>Unpacking works within 128-bit halves: a vector holds four channels, and the four channels 16 further on.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Scatter(Vector256<byte> channels, byte* target)
    {
        channels.GetLower().Store(target);
        channels.GetUpper().Store(target + ColumnValues / 2);
    }

    private static void ComputeLine(StripArguments* arguments, sbyte* weights, byte* y)
    {
        int* accumulators = stackalloc int[TileRows * Channels];
        byte* origin = arguments->Strip;
        int columns = (int)arguments->Columns;
        for (int column = 0; column < columns; column += TileRows)
        {
            int rows = Math.Min(TileRows, columns - column);
            for (int row = 0; row < rows; row += 2, origin += 2 * arguments->ColumnStep)
            {
                // A missing output repeats the last one.
                nint second = row + 1 < rows ? arguments->ColumnStep : 0;
                TwoOutputs(arguments, weights, origin, second, accumulators + row * Channels);
            }

            TileEpilogue.Store(accumulators, rows, 0, (int)arguments->Channels, *arguments->Epilogue, null, y, arguments->RowStride);
            y += rows * arguments->RowStride;
        }
    }

    /// <summary>Two outputs, all 32 channels: eight accumulators share the weights.</summary>
    [MethodImpl(MethodCompilation.Loops)]
    private static void TwoOutputs(StripArguments* arguments, sbyte* weights, byte* origin, nint second, int* accumulators)
    {
        // In bounds: 128 bytes of the strip at every tap of both outputs, 128 weights per tap, two rows of 32 accumulators.
        Vector256<int> a0 = default, a1 = default, a2 = default, a3 = default, b0 = default, b1 = default, b2 = default, b3 = default;
        nint* tapOffsets = arguments->TapOffsets;
        for (nint tap = 0; tap < arguments->Taps; tap++, weights += ColumnValues)
        {
            byte* x = origin + tapOffsets[tap];
            Vector256<sbyte> w0 = Vector256.Load(weights), w1 = Vector256.Load(weights + Vector);
            Vector256<sbyte> w2 = Vector256.Load(weights + 2 * Vector), w3 = Vector256.Load(weights + 3 * Vector);
            a0 = TDot.Add(a0, Vector256.Load(x), w0);
            a1 = TDot.Add(a1, Vector256.Load(x + Vector), w1);
            a2 = TDot.Add(a2, Vector256.Load(x + 2 * Vector), w2);
            a3 = TDot.Add(a3, Vector256.Load(x + 3 * Vector), w3);
            x += second;
            b0 = TDot.Add(b0, Vector256.Load(x), w0);
            b1 = TDot.Add(b1, Vector256.Load(x + Vector), w1);
            b2 = TDot.Add(b2, Vector256.Load(x + 2 * Vector), w2);
            b3 = TDot.Add(b3, Vector256.Load(x + 3 * Vector), w3);
        }

        Store(a0, a1, a2, a3, accumulators);
        Store(b0, b1, b2, b3, accumulators + Channels);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(Vector256<int> s0, Vector256<int> s1, Vector256<int> s2, Vector256<int> s3, int* accumulators)
    {
        s0.Store(accumulators);
        s1.Store(accumulators + 8);
        s2.Store(accumulators + 16);
        s3.Store(accumulators + 24);
    }
}
