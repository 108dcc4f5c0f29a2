namespace NestQuant.RuntimeOps.Kernels.Emission;

/// <summary>What moves bytes between lanes, halves of registers and masked memory. A half is the lower 32 bytes of a register.</summary>
internal sealed partial class Assembler
{
    private const int Half = 32;
    private const OpcodeMap Map0F3A = (OpcodeMap)3;

    private static readonly VectorForm Shuffle512 = new(OpcodePrefix.Prefix66, OpcodeMap.Map0F38);
    private static readonly VectorForm Quarters512 = new(OpcodePrefix.Prefix66, Map0F3A) { IsWide = true };
    private static readonly VectorForm Half256 = new(OpcodePrefix.PrefixF3, OpcodeMap.Map0F) { IsHalf = true };
    private static readonly VectorForm HalfBytes256 = new(OpcodePrefix.PrefixF2, OpcodeMap.Map0F) { IsHalf = true };

    /// <summary>vmovdqa32 target, source.</summary>
    public void Copy(Zmm target, Zmm source) => Encode(Int512, 0x6F, target, default, source);

    /// <summary>vmovdqu32 [target] {mask}, source.</summary>
    public void Store(in MemoryOperand target, MaskRegister mask, Zmm source) =>
        Encode(new VectorForm(OpcodePrefix.PrefixF3, OpcodeMap.Map0F) { Mask = mask.Number }, 0x7F, source, default, target, compression: 64);

    /// <summary>vmovdqu32 target, [source] on 256 bits; the upper half becomes 0.</summary>
    public void LoadHalf(Zmm target, in MemoryOperand source) => Encode(Half256, 0x6F, target, default, source, Half);

    /// <summary>vmovdqu8 target {mask}, [source] on 256 bits: bytes without a mask bit are not read and become 0, as does the upper half.</summary>
    public void LoadHalf(Zmm target, MaskRegister mask, in MemoryOperand source) =>
        Encode(HalfBytes256 with { Mask = mask.Number, IsZeroing = true }, 0x6F, target, default, source, Half);

    /// <summary>vmovdqu32 [target], source on 256 bits.</summary>
    public void StoreHalf(in MemoryOperand target, Zmm source) => Encode(Half256, 0x7F, source, default, target, Half);

    /// <summary>vmovdqu8 [target] {mask}, source on 256 bits: bytes without a mask bit are not written.</summary>
    public void StoreHalf(in MemoryOperand target, MaskRegister mask, Zmm source) =>
        Encode(HalfBytes256 with { Mask = mask.Number }, 0x7F, source, default, target, Half);

    /// <summary>vinserti64x4 target, low, [high], 1: the lower half of one register and 32 bytes above it.</summary>
    public void InsertHigh(Zmm target, Zmm low, in MemoryOperand high)
    {
        Encode(Quarters512, 0x3A, target, low, high, Half);
        _code.Add(1);
    }

    /// <summary>vinserti64x4 target, low, high, 1: the lower halves of two registers.</summary>
    public void InsertHigh(Zmm target, Zmm low, Zmm high)
    {
        Encode(Quarters512, 0x3A, target, low, high);
        _code.Add(1);
    }

    /// <summary>vextracti64x4 target, source, 1: the upper half becomes the lower one.</summary>
    public void ExtractHigh(Zmm target, Zmm source)
    {
        Encode(Quarters512, 0x3B, source, default, target);
        _code.Add(1);
    }

    /// <summary>vextracti64x4 [target], source, 1: stores the upper half.</summary>
    public void ExtractHigh(in MemoryOperand target, Zmm source)
    {
        Encode(Quarters512, 0x3B, source, default, target, Half);
        _code.Add(1);
    }

    /// <summary>vpermd target, order, source: sixteen of a register's 32-bit values.</summary>
    public void PermuteInt32(Zmm target, Zmm order, Zmm source) => Encode(Shuffle512, 0x36, target, order, source);

    /// <summary>vpermt2d first, order, second: sixteen of the 32-bit values of two registers, in place of the first.</summary>
    public void SelectInt32(Zmm first, Zmm order, Zmm second) => Encode(Shuffle512, 0x7E, first, order, second);

    /// <summary>vpshufb target, source, order: within each 16 bytes.</summary>
    public void ShuffleBytes(Zmm target, Zmm source, Zmm order) => Encode(Shuffle512, 0x00, target, source, order);

    /// <summary>vpackssdw target, left, right: 32-bit integers to 16 bits, saturated, within each 16 bytes.</summary>
    public void PackInt32(Zmm target, Zmm left, Zmm right) => Encode(Int512, 0x6B, target, left, right);

    /// <summary>vpackuswb target, left, right: 16-bit integers to unsigned bytes, saturated, within each 16 bytes.</summary>
    public void PackInt16(Zmm target, Zmm left, Zmm right) => Encode(Int512, 0x67, target, left, right);

    /// <summary>vpaddsw target, left, right: 16-bit sums, saturated.</summary>
    public void AddInt16(Zmm target, Zmm left, Zmm right) => Encode(Int512, 0xED, target, left, right);

    /// <summary>vpminub target, left, right: the lesser unsigned bytes.</summary>
    public void MinUInt8(Zmm target, Zmm left, Zmm right) => Encode(Int512, 0xDA, target, left, right);

    /// <summary>vpmaxub target, left, right: the greater unsigned bytes.</summary>
    public void MaxUInt8(Zmm target, Zmm left, Zmm right) => Encode(Int512, 0xDE, target, left, right);

    private void Encode(in VectorForm form, byte opcode, Zmm reg, Zmm second, Zmm rm)
    {
        // A vector register in the rm field takes its fourth bit from B and its fifth from X.
        Prefix(form, reg.Number, second.Number, rm.Number >> 4 & 1, rm.Number >> 3 & 1);
        Bytes([opcode, ModRegisters(reg.Number, rm.Number)]);
    }

    private void Encode(in VectorForm form, byte opcode, Zmm reg, Zmm second, in MemoryOperand memory, int compression)
    {
        Prefix(form, reg.Number, second.Number, memory.Index is { } index ? High(index) : 0, High(memory.Base));
        _code.Add(opcode);
        Memory(reg.Number, memory, compression);
    }

    private void Prefix(in VectorForm form, int reg, int second, int x, int b) => Bytes([
        0x62,
        (byte)((reg >> 3 & 1 ^ 1) << 7 | (x ^ 1) << 6 | (b ^ 1) << 5 | (reg >> 4 & 1 ^ 1) << 4 | (int)form.Map),
        (byte)((form.IsWide ? 1 : 0) << 7 | (~second & 15) << 3 | 1 << 2 | (int)form.Prefix),
        (byte)((form.IsZeroing ? 1 : 0) << 7 | (form.IsHalf ? 1 : 2) << 5 | (second >> 4 & 1 ^ 1) << 3 | form.Mask),
    ]);

    /// <summary>What the four bytes in front of an opcode say besides registers.</summary>
    private readonly record struct VectorForm(OpcodePrefix Prefix, OpcodeMap Map)
    {
        /// <summary>The bit W.</summary>
        public bool IsWide { get; init; }

        /// <summary>256 bits instead of 512.</summary>
        public bool IsHalf { get; init; }

        /// <summary>The mask register, 0 for none.</summary>
        public int Mask { get; init; }

        /// <summary>Whether lanes without a mask bit become 0 instead of staying.</summary>
        public bool IsZeroing { get; init; }
    }
}
