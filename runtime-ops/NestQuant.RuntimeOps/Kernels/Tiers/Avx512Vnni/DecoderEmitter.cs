using NestQuant.RuntimeOps.Kernels.Emission;
using NestQuant.RuntimeOps.Kernels.Tiers.Avx2;
using NestQuant.RuntimeOps.Packing;

namespace NestQuant.RuntimeOps.Kernels.Tiers.Avx512Vnni;

/// <summary>
/// Emits the decoder of full blocks (8 rows of k, 32 channels) for one pair of widths: a C function, in the calling convention of System V,
/// <c>void(byte* high, byte* low, nint blocks, sbyte* values)</c>; see <see cref="KernelTier.DecodeBlocks"/>.
/// </summary>
/// <remarks>
/// A block's 256 values are four vectors. The fields of sub-planes of 4 and 2 bits are shifted and masked into position, single bits are
/// tested: a set one adds its value. The high code is already in the position of 2^l * w_high, so one addition joins both codes, and one
/// removes their offsets.
/// </remarks>
internal sealed class DecoderEmitter
{
    private const int VectorBytes = 64;
    private const int Vectors = NestedLayout.BlockValues / VectorBytes;

    // Blocks to prefetch ahead, enough to hide memory latency while earlier ones are decoded; a prefetch past the operands' end is
    // harmless.
    private const int PrefetchDistance = 40;

    private const Register High = Register.Rdi;
    private const Register Low = Register.Rsi;
    private const Register Blocks = Register.Rdx;
    private const Register Values = Register.Rcx;
    private const Register Row = Register.Rcx;
    private const Register Accumulators = Register.R8;
    private const Register WeightSums = Register.R9;

    private const int FirstLowPlane = 4;
    private static readonly Zmm HighCode = new(8);
    private static readonly Zmm LowCode = new(9);
    private static readonly Zmm Field = new(10);
    private static readonly Zmm Activations = new(11);
    private static readonly MaskRegister Bits = new(1);

    // Four accumulators of products and four of weights; constants are allocated from the other end, at most twelve.
    private const int FirstAccumulator = 12;

    private readonly Assembler _code = new();
    private readonly List<byte[]> _constants = [];

    private readonly bool _isProduct;

    private DecoderEmitter(bool isProduct) => _isProduct = isProduct;

    /// <summary>Emits one decoder.</summary>
    /// <param name="bits">The pair n:h.</param>
    /// <param name="isPart">Whether the low operand is left out.</param>
    public static byte[] Emit(NestedBits bits, bool isPart) => Emit(bits, isPart, isProduct: false);

    /// <summary>
    /// Emits the product of one row with a panel whose decoded weights are not stored: a C function <c>void(byte* high, byte* low, nint
    /// blocks, byte* row, int* accumulators, int* weightSums)</c> that writes the sums of x * w and those of w, 32 each.
    /// </summary>
    /// <param name="bits">The pair n:h.</param>
    /// <param name="isPart">Whether the low operand is left out.</param>
    public static byte[] EmitProduct(NestedBits bits, bool isPart) => Emit(bits, isPart, isProduct: true);

    private static byte[] Emit(NestedBits bits, bool isPart, bool isProduct)
    {
        DecoderEmitter emitter = new(isProduct);

        // Constants are loaded before the loop, but only emitting the loop determines which are needed.
        emitter.EmitLoop(bits, isPart);
        DecoderEmitter complete = new(isProduct);
        complete._constants.AddRange(emitter._constants);
        for (int i = 0; i < emitter._constants.Count; i++)
            complete._code.LoadConstant(ConstantRegister(i), emitter._constants[i]);
        for (int sum = 0; sum < 2 * Vectors && isProduct; sum++)
            complete._code.Xor(new Zmm(FirstAccumulator + sum), new Zmm(FirstAccumulator + sum), new Zmm(FirstAccumulator + sum));
        Label block = new();
        complete._code.Bind(block);
        complete.EmitLoop(bits, isPart);
        complete._code.Subtract(Blocks, 1);
        complete._code.Jump(Condition.NotZero, block);
        if (isProduct)
            complete.StoreAccumulators();
        complete._code.ZeroUpper();
        complete._code.Return();
        return complete._code.ToCode();
    }

    private void EmitLoop(NestedBits bits, bool isPart)
    {
        LoadPlanes(High, 0, bits.High);
        if (!isPart)
            LoadPlanes(Low, FirstLowPlane, bits.LowWidth);
        Zmm offset = Constant(_ => (byte)-BlockValues.Offset(bits, steps: isPart ? 0 : 1));
        for (int vector = 0; vector < Vectors; vector++)
        {
            Decode(HighCode, 0, bits.High, bits.Shift, vector);
            if (!isPart)
            {
                Decode(LowCode, FirstLowPlane, bits.LowWidth, 0, vector);
                _code.AddInt8(HighCode, HighCode, LowCode);
            }

            _code.AddInt8(HighCode, HighCode, offset);
            if (_isProduct)
                Multiply(vector);
            else
                _code.Store(new MemoryOperand(Values, vector * VectorBytes), HighCode);
        }

        _code.Add(High, NestedLayout.PanelChannels * bits.High);
        if (!isPart)
            _code.Add(Low, NestedLayout.PanelChannels * bits.LowWidth);
        if (_isProduct)
            _code.Add(Row, NestedLayout.BlockRows);
        else
            _code.Add(Values, NestedLayout.BlockValues);
    }

    /// <summary>A vector has 16 channels of one of the block's two groups of 4 rows of k.</summary>
    private void Multiply(int vector)
    {
        if (vector % 2 == 0)
            _code.BroadcastInt32(Activations, new MemoryOperand(Row, vector / 2 * sizeof(int)));
        _code.DotProduct(new Zmm(FirstAccumulator + vector), Activations, HighCode);
        _code.DotProduct(new Zmm(FirstAccumulator + Vectors + vector), Constant(_ => 1), HighCode);
    }

    private void StoreAccumulators()
    {
        for (int half = 0; half < Vectors / 2; half++)
        {
            foreach ((int first, Register target) in
                ((int, Register)[])[(FirstAccumulator, Accumulators), (FirstAccumulator + Vectors, WeightSums)])
            {
                Zmm sum = new(first + half);
                _code.AddInt32(sum, sum, new Zmm(first + half + Vectors / 2));
                _code.Store(new MemoryOperand(target, half * VectorBytes), sum);
            }
        }
    }

    /// <summary>Loads a block's sub-planes: two vectors of 4-bit fields, one of 2-bit fields, half a one, twice, of single bits.</summary>
    private void LoadPlanes(Register planes, int first, int width)
    {
        int position = 0;
        if ((width & 4) != 0)
        {
            _code.Load(new Zmm(first), new MemoryOperand(planes));
            _code.Load(new Zmm(first + 1), new MemoryOperand(planes, VectorBytes));
            position = 2 * VectorBytes;
        }

        if ((width & 2) != 0)
        {
            _code.Load(new Zmm(first + 2), new MemoryOperand(planes, position));
            position += VectorBytes;
        }

        if ((width & 1) != 0)
            _code.BroadcastHalf(new Zmm(first + 3), new MemoryOperand(planes, position));
        for (int line = 0; line < width * NestedLayout.PanelChannels; line += VectorBytes)
            _code.Prefetch(new MemoryOperand(planes, PrefetchDistance * width * NestedLayout.PanelChannels + line));
    }

    /// <summary>Codes 64 * vector to 64 * vector + 63 of the block, shifted left by <paramref name="shift"/> bits.</summary>
    private void Decode(Zmm code, int planes, int width, int shift, int vector)
    {
        bool isFirst = true;
        int to = shift;
        if ((width & 4) != 0)
        {
            Move(code, new Zmm(planes + vector % 2), vector / 2 * 4, to, 4, ref isFirst);
            to += 4;
        }

        if ((width & 2) != 0)
        {
            Move(code, new Zmm(planes + 2), vector * 2, to, 2, ref isFirst);
            to += 2;
        }

        if ((width & 1) == 0)
            return;

        // Bit j of a byte belongs to value 32 * j + the byte's number, so the vector's upper half has the next bit.
        _code.TestInt8(Bits, new Zmm(planes + 3), Constant(i => (byte)(1 << (2 * vector + i / (VectorBytes / 2)))));
        _code.AddInt8(code, code, Constant(_ => (byte)(1 << to)), Bits);
    }

    /// <summary>
    /// Moves a field of every byte from bit <paramref name="from"/> to bit <paramref name="to"/> of the code, which has zeros there.
    /// </summary>
    private void Move(Zmm code, Zmm plane, int from, int to, int width, ref bool isFirst)
    {
        Zmm field = plane;
        if (from != to)
        {
            field = Field;
            if (from > to)
                _code.ShiftRightInt16(field, plane, (byte)(from - to));
            else
                _code.ShiftLeftInt16(field, plane, (byte)(to - from));
        }

        Zmm mask = Constant(_ => (byte)(((1 << width) - 1) << to));
        if (isFirst)
            _code.And(code, field, mask);
        else
            _code.OrAnd(code, field, mask);
        isFirst = false;
    }

    private Zmm Constant(Func<int, byte> value)
    {
        byte[] constant = [.. Enumerable.Range(0, VectorBytes).Select(value)];
        int index = _constants.FindIndex(known => known.AsSpan().SequenceEqual(constant));
        if (index < 0)
        {
            index = _constants.Count;
            _constants.Add(constant);
        }

        return ConstantRegister(index);
    }

    private static Zmm ConstantRegister(int constant) => new(31 - constant);
}
