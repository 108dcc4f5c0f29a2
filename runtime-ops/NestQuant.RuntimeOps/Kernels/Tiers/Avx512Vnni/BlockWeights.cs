using NestQuant.RuntimeOps.Kernels.Emission;
using NestQuant.RuntimeOps.Kernels.Tiers.Avx2;
using NestQuant.RuntimeOps.Packing;

namespace NestQuant.RuntimeOps.Kernels.Tiers.Avx512Vnni;

/// <summary>
/// Emits what makes weights of the sub-planes of a full block (8 rows of k, 32 channels), a vector of 64 at a time: rows 0 to 3 of k of
/// channels 0 to 15, then of channels 16 to 31, then rows 4 to 7.
/// </summary>
/// <remarks>
/// The high code's bits and, below them, those of the low code are put side by side, but for the low code's topmost bit, whose place is
/// that of the high code's lowest. A code's offset is the value of its topmost bit, so that value is subtracted where the bit is not set:
/// for the low code, and for a high code whose topmost bit is in a plane of its own. Other topmost bits of high codes are inverted when
/// they are loaded, which makes them the signs of weights of 8 bits; from weights of fewer bits the high code's offset is subtracted.
/// </remarks>
internal sealed class BlockWeights
{
    /// <summary>Vectors of a block.</summary>
    public const int Vectors = NestedLayout.BlockValues / VectorBytes;

    /// <summary>Receives the weights.</summary>
    public static readonly Zmm Weights = new(5);

    /// <summary>The first register that this code leaves alone; the constants take the last ones, up to ten.</summary>
    public const int FirstFree = 8;

    private const int VectorBytes = 64;
    private const int ByteMask = 0xFF;

    // Blocks to prefetch ahead, enough to hide memory latency while earlier ones are decoded; a prefetch past the operands' end is
    // harmless.
    private const int PrefetchDistance = 40;

    private static readonly Zmm Shifted = new(6);
    private static readonly Zmm ShiftedTop = new(7);
    private static readonly MaskRegister Bits = new(1);

    private readonly Assembler _code;
    private readonly NestedBits _bits;
    private readonly bool _isPart;
    private readonly Register _high, _low;
    private readonly List<byte[]> _constants;
    private readonly List<Plane> _planes = [];
    private int _registers;

    /// <summary>Prepares the emission for a level of two, and loads the constants that are known.</summary>
    /// <param name="code">Receives the code.</param>
    /// <param name="bits">The pair n:h.</param>
    /// <param name="isPart">Whether the low operand is left out.</param>
    /// <param name="high">Points to the block of the high operand.</param>
    /// <param name="low">Points to that of the low one.</param>
    /// <param name="constants">
    /// Gets the constants of the code. They are loaded before the loop but known after it, so code is emitted twice with the same list.
    /// </param>
    public BlockWeights(Assembler code, NestedBits bits, bool isPart, Register high, Register low, List<byte[]> constants)
    {
        (_code, _bits, _isPart, _high, _low, _constants) = (code, bits, isPart, high, low, constants);
        AddPlanes(bits.High, bits.Shift, isHigh: true);
        if (!isPart)
            AddPlanes(bits.LowWidth, 0, isHigh: false);
        for (int i = 0; i < constants.Count; i++)
            code.LoadConstant(ConstantRegister(i), constants[i]);
    }

    // Whether the high code's topmost bit makes the weight's sign. A single bit does so in any case.
    private bool HasSign => _bits.Full == NestedBits.Most || _bits.High % 2 != 0;

    /// <summary>A register whose 64 bytes are one value.</summary>
    public Zmm Constant(int value) => Constant(_ => (byte)value);

    /// <summary>Loads a block's sub-planes.</summary>
    public void Load()
    {
        foreach (Plane plane in _planes)
        {
            MemoryOperand source = new(plane.IsHigh ? _high : _low, plane.Position);
            if (plane.Width == 1)
            {
                _code.BroadcastHalf(plane.Register, source);
                continue;
            }

            for (int half = 0; half < plane.Width / 2; half++, source = source with { Displacement = source.Displacement + VectorBytes })
            {
                Zmm register = plane.Half(half);
                if (plane.IsSigned)
                    _code.Xor(register, Constant(plane.Width == 4 ? 0x88 : 0xAA), source);
                else
                    _code.Load(register, source);
            }
        }

        Prefetch(_high, _bits.High);
        if (!_isPart)
            Prefetch(_low, _bits.LowWidth);
    }

    /// <summary>Makes one of the block's vectors, in <see cref="Weights"/>.</summary>
    public void Decode(int vector)
    {
        // Where all bits are some plane's, a first plane that is shifted needs no mask: other planes replace the bits that are theirs.
        bool areAllReplaced = _planes.Aggregate(0, static (bits, plane) => bits | plane.Mask) == ByteMask;
        bool isFirst = true;
        foreach (Plane plane in _planes.Where(static plane => plane.Mask != 0).OrderBy(IsCopied))
        {
            bool isWhole = isFirst && areAllReplaced && !IsCopied(plane);
            Zmm field = Shift(plane, vector, isWhole ? Weights : plane.IsTopOfLow ? ShiftedTop : Shifted);
            if (isFirst && !isWhole)
                _code.And(Weights, field, Constant(plane.Mask));
            else if (!isFirst && areAllReplaced)
                _code.Replace(Weights, field, Constant(plane.Mask));
            else if (!isFirst)
                _code.OrAnd(Weights, field, Constant(plane.Mask));
            isFirst = false;
        }

        foreach (Plane plane in _planes.Where(static plane => plane.IsTopOfLow || plane.IsTopBit))
            SubtractWhereZero(plane, vector);
        if (!HasSign)
            _code.SubtractInt8(Weights, Weights, Constant(1 << (_bits.Full - 1)));

        bool IsCopied(Plane plane) => plane.IsTopOfLow || plane.IsInPlace(vector);
    }

    /// <summary>Points to the next block.</summary>
    public void Advance()
    {
        _code.Add(_high, NestedLayout.PanelChannels * _bits.High);
        if (!_isPart)
            _code.Add(_low, NestedLayout.PanelChannels * _bits.LowWidth);
    }

    /// <summary>Subtracts the value of a code's topmost bit from the weights where it is not set.</summary>
    private void SubtractWhereZero(in Plane plane, int vector)
    {
        Zmm bit = Constant(1 << (plane.To + plane.Width - 1));
        if (plane.IsTopBit)
        {
            // Bit j of a byte belongs to value 32 * j + the byte's number, so the vector's upper half has the next bit.
            _code.TestZeroInt8(Bits, plane.Register, Constant(i => (byte)(1 << (2 * vector + i / (VectorBytes / 2)))));
            _code.SubtractInt8(Weights, Weights, bit, Bits);
            return;
        }

        _code.AndNot(ShiftedTop, plane.IsInPlace(vector) ? plane.Of(vector) : ShiftedTop, bit);
        _code.SubtractInt8(Weights, Weights, ShiftedTop);
    }

    /// <summary>The register in which a plane's fields of a vector are in their places, with other bits beside them.</summary>
    private Zmm Shift(in Plane plane, int vector, Zmm target)
    {
        int distance = plane.To - plane.From(vector);
        if (distance == 0)
            return plane.Of(vector);
        if (distance < 0)
            _code.ShiftRightInt16(target, plane.Of(vector), (byte)-distance);
        else
            _code.ShiftLeftInt16(target, plane.Of(vector), (byte)distance);
        return target;
    }

    /// <summary>
    /// Adds an operand's sub-planes: two vectors of 4-bit fields, one of 2-bit fields, half a one, twice, of single bits.
    /// </summary>
    private void AddPlanes(int codeWidth, int to, bool isHigh)
    {
        int end = to + codeWidth, position = 0;
        foreach (int width in ((int[])[4, 2, 1]).Where(width => (codeWidth & width) != 0))
        {
            bool isTop = to + width == end;
            bool isSubtracted = isTop && (!isHigh || width == 1);
            _planes.Add(new Plane(new Zmm(_registers), width, position, to, isHigh)
            {
                Mask = ((1 << width) - 1) << to & (isSubtracted ? ~(1 << (end - 1)) : ByteMask),
                IsTopOfLow = isTop && !isHigh,
                IsSigned = isTop && !isSubtracted && HasSign,
            });
            _registers += width == 4 ? 2 : 1;
            position += width * NestedLayout.PanelChannels;
            to += width;
        }
    }

    private void Prefetch(Register planes, int width)
    {
        for (int line = 0; line < width * NestedLayout.PanelChannels; line += VectorBytes)
            _code.Prefetch(new MemoryOperand(planes, PrefetchDistance * width * NestedLayout.PanelChannels + line));
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

    /// <summary>A sub-plane of an operand's block.</summary>
    /// <param name="Register">Its register, the first of two for fields of 4 bits.</param>
    /// <param name="Width">Bits of a field.</param>
    /// <param name="Position">Where it starts in the operand's block, in bytes.</param>
    /// <param name="To">The place of a field's lowest bit in the weight.</param>
    /// <param name="IsHigh">Whether it belongs to the high operand.</param>
    private readonly record struct Plane(Zmm Register, int Width, int Position, int To, bool IsHigh)
    {
        /// <summary>The weight's bits that it has, but for a topmost bit of which the value is subtracted.</summary>
        public int Mask { get; init; }

        /// <summary>Whether its codes' topmost bits are inverted when it is loaded.</summary>
        public bool IsSigned { get; init; }

        /// <summary>Whether it has the low code's topmost bit.</summary>
        public bool IsTopOfLow { get; init; }

        /// <summary>Whether it is the topmost bits of codes; no code has a single bit elsewhere.</summary>
        public bool IsTopBit => Width == 1;

        public Zmm Half(int half) => new(Register.Number + half);

        /// <summary>The register that has the fields of a vector.</summary>
        public Zmm Of(int vector) => Width == 4 ? Half(vector % 2) : Register;

        /// <summary>The lowest bit of the vector's fields in their bytes.</summary>
        public int From(int vector) => Width == 4 ? vector / 2 * 4 : vector * 2;

        /// <summary>Whether a vector's fields are in their places without a shift.</summary>
        public bool IsInPlace(int vector) => From(vector) == To;
    }
}
