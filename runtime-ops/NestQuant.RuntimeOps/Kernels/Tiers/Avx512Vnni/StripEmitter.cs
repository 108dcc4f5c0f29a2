using NestQuant.RuntimeOps.Kernels.Emission;
using NestQuant.RuntimeOps.Kernels.Execution;
using NestQuant.RuntimeOps.Kernels.Tiers.Avx2;

namespace NestQuant.RuntimeOps.Kernels.Tiers.Avx512Vnni;

/// <summary>
/// Emits <see cref="StripKernel.Run"/>: a C function, in the calling convention of System V, <c>void(StripArguments* arguments)</c>. All
/// registers used are caller-saved.
/// </summary>
/// <param name="linesPerStep">1 or 2.</param>
/// <param name="isQuantized">Whether the output is uint8.</param>
/// <param name="isMasked">Whether the panel may have fewer than 32 channels.</param>
internal sealed class StripEmitter(int linesPerStep, bool isQuantized, bool isMasked)
{
    private const int VectorBytes = 64;
    private const int Vectors = KernelTier.TileChannels / VectorChannels;
    private const int VectorChannels = 16;

    // Outputs of one iteration: eight accumulators hide the four to five cycles of latency of vpdpbusd.
    private const int OutputsPerIteration = 4;

    private const Register Arguments = Register.Rdi;

    // Registers for interleaving columns.
    private static readonly Register[] InputLines = [Register.Rax, Register.Rcx, Register.Rdx, Register.Rsi];
    private const Register Target = Register.R8;
    private const Register Count = Register.R9;
    private const Register PositionStride = Register.R10;
    private const Register Position = Register.R11;

    // Registers for computing outputs; those of the tap loop are free before and after it.
    private static readonly Register[] Origins = [Register.Rax, Register.Rsi, Register.R8, Register.R9];
    private const Register Tap = Register.Rcx;
    private const Register Weights = Register.Rdx;
    private const Register TapOffsets = Register.R10;
    private const Register Taps = Register.R11;
    private const Register SecondWeights = Register.R8;
    private const Register Y = Register.Rcx;
    private const Register RowStride = Register.Rdx;
    private const Register LineStride = Register.R10;
    private const Register ColumnStep = Register.R11;
    private const Register Scratch = Register.Rcx;

    private const int FirstWeight = 8;
    private const int FirstInput = 12;
    private static readonly Zmm Start = new(16);
    private static readonly Zmm Scale = new(18);
    private static readonly Zmm Bias = new(20);
    private static readonly Zmm Greatest = new(22);
    private static readonly Zmm ZeroPoint = new(23);
    private static readonly Zmm Least = new(24);
    private static readonly Zmm PackOrder = new(25);
    private static readonly Zmm FirstOrder = new(26);
    private static readonly Zmm SecondOrder = new(27);
    private static readonly Zmm ByteOrder = new(28);

    private static readonly MaskRegister Mask = new(1);
    private static readonly MaskRegister HighMask = new(2);

    private readonly Assembler _code = new();

    private int ColumnsPerIteration => OutputsPerIteration / linesPerStep;

    /// <summary>Emits the kernel.</summary>
    public byte[] Emit()
    {
        Label step = new();
        LoadFactors();
        _code.Bind(step);
        Interleave();
        ComputeLines();
        Advance(StripArguments.YAt, StripArguments.LineStrideAt, linesPerStep);
        _code.Load(Scratch, Field(StripArguments.StepsAt));
        _code.Subtract(Scratch, 1);
        _code.Store(Field(StripArguments.StepsAt), Scratch);
        _code.Jump(Condition.NotZero, step);
        _code.ZeroUpper();
        _code.Return();
        return _code.ToCode();
    }

    private static MemoryOperand Field(int offset) => new(Arguments, offset);

    private static Zmm Second(Zmm first) => new(first.Number + 1);

    /// <summary>The accumulator of an output of the iteration; outputs are counted column by column.</summary>
    private static Zmm Accumulator(int output, int vector) => new(output * Vectors + vector);

    private void LoadFactors()
    {
        const Register factors = Register.Rax;
        const Register tables = Register.Rcx;
        _code.Load(factors, Field(StripArguments.EpilogueAt));
        _code.Load(tables, Field(EmittedStrips.TablesAt));
        for (int vector = 0; vector < Vectors; vector++)
        {
            _code.Load(new Zmm(Scale.Number + vector), new MemoryOperand(factors, EmittedStrips.ScaleAt + vector * VectorBytes));
            _code.Load(new Zmm(Bias.Number + vector), new MemoryOperand(factors, EmittedStrips.BiasAt + vector * VectorBytes));

            // Accumulators start at minus the centering.
            Zmm start = new(Start.Number + vector), centering = new(FirstInput);
            _code.Load(centering, new MemoryOperand(factors, EmittedStrips.CenteringAt + vector * VectorBytes));
            _code.Xor(start, start, start);
            _code.SubtractInt32(start, start, centering);
        }

        _code.Load(FirstOrder, new MemoryOperand(tables, EmittedStrips.FirstOrderAt));
        _code.Load(SecondOrder, new MemoryOperand(tables, EmittedStrips.SecondOrderAt));
        _code.Load(ByteOrder, new MemoryOperand(tables, EmittedStrips.ByteOrderAt));
        if (isQuantized)
        {
            _code.Load(PackOrder, new MemoryOperand(tables, EmittedStrips.PackOrderAt));
            _code.BroadcastInt32(Greatest, Field(EmittedStrips.GreatestBytesAt));
            _code.BroadcastInt32(ZeroPoint, Field(EmittedStrips.ZeroPointsAt));
            _code.BroadcastInt32(Least, Field(EmittedStrips.LeastBytesAt));
        }

        if (isMasked)
        {
            _code.Load64(Mask, Field(EmittedStrips.MaskAt));
            _code.Load64(HighMask, Field(EmittedStrips.HighMaskAt));
        }
    }

    /// <summary>Fills the strip's inside columns, group by group.</summary>
    private void Interleave()
    {
        Label group = new();
        Label column = new();
        Label groupDone = new();
        _code.Load(PositionStride, Field(StripArguments.PositionStrideAt));
        _code.Load(Target, Field(StripArguments.InsideAt));
        _code.Bind(group);
        _code.Load(Count, Field(StripArguments.LinesAt));
        for (int line = 0; line < InputLines.Length; line++)
            _code.Load(InputLines[line], new MemoryOperand(Count, line * sizeof(long)));
        _code.Add(Count, InputLines.Length * sizeof(long));
        _code.Store(Field(StripArguments.LinesAt), Count);
        _code.Load(Position, Field(StripArguments.FirstByteAt));
        _code.Load(Count, Field(StripArguments.InsideColumnsAt));
        _code.Subtract(Count, 1);
        _code.Jump(Condition.Less, groupDone);
        _code.Bind(column);
        InterleaveColumn();
        _code.LoadAddress(Position, new MemoryOperand(Position) { Index = PositionStride });
        _code.Add(Target, StripKernel.ColumnValues);
        _code.Subtract(Count, 1);
        _code.Jump(Condition.GreaterOrEqual, column);
        _code.Bind(groupDone);
        _code.Add(Target, Field(StripArguments.GroupGapAt));
        _code.Compare(Target, Field(StripArguments.InsideEndAt));
        _code.Jump(Condition.NotZero, group);
    }

    private void InterleaveColumn()
    {
        // Puts two lines into a register, then four bytes of each line into every 16 bytes, for each 16 channels, and transposes these four
        // by four.
        Zmm lines01 = new(0), lines23 = new(1), first = new(2), second = lines01, high = new(3);
        Zmm[] pairs = [lines01, lines23];
        for (int pair = 0; pair < pairs.Length; pair++)
        {
            MemoryOperand low = new(InputLines[2 * pair]) { Index = Position };
            MemoryOperand above = new(InputLines[2 * pair + 1]) { Index = Position };
            if (isMasked)
            {
                _code.LoadHalf(pairs[pair], Mask, low);
                _code.LoadHalf(high, Mask, above);
                _code.InsertHigh(pairs[pair], pairs[pair], high);
            }
            else
            {
                _code.LoadHalf(pairs[pair], low);
                _code.InsertHigh(pairs[pair], pairs[pair], above);
            }
        }

        _code.Copy(first, lines01);
        _code.SelectInt32(first, FirstOrder, lines23);
        _code.SelectInt32(second, SecondOrder, lines23);
        _code.ShuffleBytes(first, first, ByteOrder);
        _code.ShuffleBytes(second, second, ByteOrder);
        _code.Store(new MemoryOperand(Target), first);
        _code.Store(new MemoryOperand(Target, VectorBytes), second);
    }

    /// <summary>Computes the step's lines: iterations of several columns, then the remaining columns one by one.</summary>
    private void ComputeLines()
    {
        Label turn = new();
        Label rest = new();
        Label single = new();
        Label done = new();
        _code.Load(Origins[0], Field(StripArguments.StripAt));
        _code.Load(ColumnStep, Field(StripArguments.ColumnStepAt));
        for (int column = 1; column < ColumnsPerIteration; column++)
            _code.LoadAddress(Origins[column], new MemoryOperand(Origins[column - 1]) { Index = ColumnStep });
        _code.Load(Scratch, Field(StripArguments.YAt));
        _code.Store(Field(EmittedStrips.CurrentYAt), Scratch);
        _code.Load(Scratch, Field(StripArguments.ColumnsAt));
        _code.Subtract(Scratch, ColumnsPerIteration);
        _code.Store(Field(EmittedStrips.ColumnsLeftAt), Scratch);
        _code.Jump(Condition.Less, rest);

        _code.Bind(turn);
        ComputeIteration(ColumnsPerIteration);
        CountColumns(ColumnsPerIteration);
        _code.Jump(Condition.GreaterOrEqual, turn);

        _code.Bind(rest);
        CountColumns(-ColumnsPerIteration);
        _code.Jump(Condition.Zero, done);
        _code.Bind(single);
        ComputeIteration(1);
        CountColumns(1);
        _code.Jump(Condition.NotZero, single);
        _code.Bind(done);
    }

    private void CountColumns(int columns)
    {
        _code.Load(Scratch, Field(EmittedStrips.ColumnsLeftAt));
        _code.Subtract(Scratch, columns);
        _code.Store(Field(EmittedStrips.ColumnsLeftAt), Scratch);
    }

    private void ComputeIteration(int columns)
    {
        Label tap = new();
        for (int output = 0; output < columns * linesPerStep; output++)
        {
            for (int vector = 0; vector < Vectors; vector++)
                _code.Copy(Accumulator(output, vector), new Zmm(Start.Number + vector));
        }

        _code.Load(TapOffsets, Field(StripArguments.TapOffsetsAt));
        _code.Load(Taps, Field(StripArguments.TapsAt));
        _code.Load(Weights, Field(StripArguments.WeightsAt));
        if (linesPerStep == 2)
            _code.Load(SecondWeights, Field(StripArguments.SecondWeightsAt));
        _code.Bind(tap);
        MultiplyTap(columns);
        _code.Jump(Condition.NotZero, tap);

        _code.Load(ColumnStep, Field(StripArguments.ColumnStepAt));
        for (int column = 0; column < columns; column++)
            _code.LoadAddress(Origins[column], new MemoryOperand(Origins[column]) { Index = ColumnStep, Scale = columns });
        StoreIteration(columns);
    }

    private void MultiplyTap(int columns)
    {
        Register[] weights = [Weights, SecondWeights];
        for (int line = 0; line < linesPerStep; line++)
        {
            for (int vector = 0; vector < Vectors; vector++)
                _code.Load(new Zmm(FirstWeight + line * Vectors + vector), new MemoryOperand(weights[line], vector * VectorBytes));
        }

        _code.Load(Tap, new MemoryOperand(TapOffsets));
        for (int column = 0; column < columns; column++)
        {
            for (int vector = 0; vector < Vectors; vector++)
            {
                Zmm input = new(FirstInput + (column * Vectors + vector) % 4);
                _code.Load(input, new MemoryOperand(Origins[column], vector * VectorBytes) { Index = Tap });
                for (int line = 0; line < linesPerStep; line++)
                    _code.DotProduct(
                        Accumulator(column * linesPerStep + line, vector), input, new Zmm(FirstWeight + line * Vectors + vector));
            }
        }

        for (int line = 0; line < linesPerStep; line++)
            _code.Add(weights[line], StripKernel.ColumnValues);
        _code.Add(TapOffsets, sizeof(long));
        _code.Subtract(Taps, 1);
    }

    private void StoreIteration(int columns)
    {
        _code.Load(Y, Field(EmittedStrips.CurrentYAt));
        _code.Load(RowStride, Field(StripArguments.RowStrideAt));
        if (linesPerStep == 2)
            _code.Load(LineStride, Field(StripArguments.LineStrideAt));

        // Two outputs at a time: neighbours in a line, or one above the other.
        int outputs = columns * linesPerStep;
        for (int output = 0; output < outputs; output += 2)
        {
            int count = Math.Min(2, outputs - output);
            MemoryOperand second = new(Y) { Index = linesPerStep == 2 ? LineStride : RowStride };
            for (int i = 0; i < count; i++)
                Scaled(output + i);
            if (isQuantized)
                StoreBytes(output, count, second);
            else
                StoreFloats(output, count, second);
            int columnsStored = linesPerStep == 2 ? 1 : count;
            _code.LoadAddress(Y, new MemoryOperand(Y) { Index = RowStride, Scale = columnsStored });
        }

        _code.Store(Field(EmittedStrips.CurrentYAt), Y);
    }

    private void Scaled(int output)
    {
        for (int vector = 0; vector < Vectors; vector++)
        {
            Zmm sum = Accumulator(output, vector);
            _code.ConvertToSingle(sum, sum);
            _code.MultiplySingle(sum, sum, new Zmm(Scale.Number + vector));
            _code.AddSingle(sum, sum, new Zmm(Bias.Number + vector));
        }
    }

    /// <summary>Results fit in 32 bits: saturation while packing, the minimum and the maximum at the end clamp them.</summary>
    private void StoreBytes(int output, int count, in MemoryOperand second)
    {
        for (int i = output; i < output + count; i++)
        {
            for (int vector = 0; vector < Vectors; vector++)
                _code.ConvertToInt32(Accumulator(i, vector), Accumulator(i, vector));
            _code.PackInt32(Accumulator(i, 0), Accumulator(i, 0), Accumulator(i, 1));
            _code.AddInt16(Accumulator(i, 0), Accumulator(i, 0), ZeroPoint);
        }

        // Packing works within 16 bytes: groups of four channels come out as 0 and 4 of both outputs, 1 and 5 of both, and so on.
        Zmm bytes = Accumulator(output, 0), high = Accumulator(output, 1);
        _code.PackInt16(bytes, bytes, Accumulator(output + count - 1, 0));
        _code.PermuteInt32(bytes, PackOrder, bytes);
        _code.MinUInt8(bytes, bytes, Greatest);
        _code.MaxUInt8(bytes, bytes, Least);
        if (!isMasked)
        {
            _code.StoreHalf(new MemoryOperand(Y), bytes);
            if (count == 2)
                _code.ExtractHigh(second, bytes);
            return;
        }

        _code.StoreHalf(new MemoryOperand(Y), Mask, bytes);
        if (count == 2)
        {
            _code.ExtractHigh(high, bytes);
            _code.StoreHalf(second, Mask, high);
        }
    }

    private void StoreFloats(int output, int count, in MemoryOperand second)
    {
        for (int i = 0; i < count; i++)
        {
            MemoryOperand first = i == 0 ? new MemoryOperand(Y) : second;
            for (int vector = 0; vector < Vectors; vector++)
            {
                MemoryOperand target = first with { Displacement = vector * VectorBytes };
                if (isMasked)
                    _code.Store(target, vector == 0 ? Mask : HighMask, Accumulator(output + i, vector));
                else
                    _code.Store(target, Accumulator(output + i, vector));
            }
        }
    }

    private void Advance(int field, int distance, int times)
    {
        _code.Load(Scratch, Field(field));
        for (int i = 0; i < times; i++)
            _code.Add(Scratch, Field(distance));
        _code.Store(Field(field), Scratch);
    }
}
