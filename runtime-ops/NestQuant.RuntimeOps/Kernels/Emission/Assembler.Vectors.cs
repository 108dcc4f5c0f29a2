namespace NestQuant.RuntimeOps.Kernels.Emission;

/// <summary>The 512-bit instructions: EVEX without rounding override, stores with a mask where one is given.</summary>
internal sealed partial class Assembler
{
    /// <summary>The opcode maps, by their number in the prefix.</summary>
    private enum OpcodeMap
    {
        Map0F = 1,
        Map0F38 = 2,
        Map0F3A = 3,
    }

    /// <summary>The mandatory prefixes, by their number in the prefix.</summary>
    private enum OpcodePrefix
    {
        None = 0,
        Prefix66 = 1,
        PrefixF3 = 2,
        PrefixF2 = 3,
    }

    /// <summary>vpxord target, left, right.</summary>
    public void Xor(Zmm target, Zmm left, Zmm right) => Evex(OpcodePrefix.Prefix66, OpcodeMap.Map0F, 0xEF, target, left, right);

    /// <summary>vpaddd target, left, right: sixteen 32-bit sums.</summary>
    public void AddInt32(Zmm target, Zmm left, Zmm right) => Evex(OpcodePrefix.Prefix66, OpcodeMap.Map0F, 0xFE, target, left, right);

    /// <summary>vpsubd target, left, right: sixteen 32-bit differences.</summary>
    public void SubtractInt32(Zmm target, Zmm left, Zmm right) => Evex(OpcodePrefix.Prefix66, OpcodeMap.Map0F, 0xFA, target, left, right);

    /// <summary>vcvtdq2ps target, source: sixteen floats nearest to the integers.</summary>
    public void ConvertToSingle(Zmm target, Zmm source) => Evex(OpcodePrefix.None, OpcodeMap.Map0F, 0x5B, target, default, source);

    /// <summary>vcvtps2dq target, source: sixteen integers, halves to even; what does not fit becomes the least integer.</summary>
    public void ConvertToInt32(Zmm target, Zmm source) => Evex(OpcodePrefix.Prefix66, OpcodeMap.Map0F, 0x5B, target, default, source);

    /// <summary>vmulps target, left, right.</summary>
    public void MultiplySingle(Zmm target, Zmm left, Zmm right) => Evex(OpcodePrefix.None, OpcodeMap.Map0F, 0x59, target, left, right);

    /// <summary>vaddps target, left, right.</summary>
    public void AddSingle(Zmm target, Zmm left, Zmm right) => Evex(OpcodePrefix.None, OpcodeMap.Map0F, 0x58, target, left, right);

    /// <summary>vminps target, left, right.</summary>
    public void MinSingle(Zmm target, Zmm left, Zmm right) => Evex(OpcodePrefix.None, OpcodeMap.Map0F, 0x5D, target, left, right);

    /// <summary>vpackssdw target, left, right: within each 128 bits, four integers of each as 16-bit ones, saturated.</summary>
    public void PackInt32(Zmm target, Zmm left, Zmm right) => Evex(OpcodePrefix.Prefix66, OpcodeMap.Map0F, 0x6B, target, left, right);

    /// <summary>vpaddsw target, left, right: thirty-two 16-bit sums, saturated.</summary>
    public void AddSaturatedInt16(Zmm target, Zmm left, Zmm right) => Evex(OpcodePrefix.Prefix66, OpcodeMap.Map0F, 0xED, target, left, right);

    /// <summary>vpackuswb target, left, right: within each 128 bits, eight 16-bit integers of each as unsigned bytes, saturated.</summary>
    public void PackInt16(Zmm target, Zmm left, Zmm right) => Evex(OpcodePrefix.Prefix66, OpcodeMap.Map0F, 0x67, target, left, right);

    /// <summary>vpermd target, order, source: the 32-bit elements of source that order numbers.</summary>
    public void PermuteInt32(Zmm target, Zmm order, Zmm source) => Evex(OpcodePrefix.Prefix66, OpcodeMap.Map0F38, 0x36, target, order, source);

    /// <summary>vpmaxub target, left, right.</summary>
    public void MaxBytes(Zmm target, Zmm left, Zmm right) => Evex(OpcodePrefix.Prefix66, OpcodeMap.Map0F, 0xDE, target, left, right);

    /// <summary>kmovw target, [source]: sixteen mask bits.</summary>
    public void Load16(MaskRegister target, in MemoryOperand source) => LoadMask(OpcodePrefix.None, isWide: false, target, source);

    /// <summary>kmovd target, [source]: thirty-two mask bits.</summary>
    public void Load32(MaskRegister target, in MemoryOperand source) => LoadMask(OpcodePrefix.Prefix66, isWide: true, target, source);

    /// <summary>vmovdqu8 [target] {mask}, source: the lower 32 bytes, where the mask's bit is set.</summary>
    public void StoreHalf(in MemoryOperand target, MaskRegister mask, Zmm source)
    {
        int x = target.Index is { } index ? High(index) : 0;
        Prefix(OpcodePrefix.PrefixF2, OpcodeMap.Map0F, source.Number, 0, x, High(target.Base), mask.Number, isHalf: true);
        _code.Add(0x7F);
        Memory(source.Number, target, compression: 32);
    }

    /// <summary>vmovdqu32 [target] {mask}, source.</summary>
    public void Store(in MemoryOperand target, MaskRegister mask, Zmm source) =>
        Evex(OpcodePrefix.PrefixF3, OpcodeMap.Map0F, 0x7F, source, target, compression: 64, mask.Number);

    /// <summary>vpdpbusd sums, left, right: adds four products of unsigned and signed bytes to each 32-bit sum, without saturation.</summary>
    public void DotProduct(Zmm sums, Zmm unsigned, Zmm signed) => Evex(OpcodePrefix.Prefix66, OpcodeMap.Map0F38, 0x50, sums, unsigned, signed);

    /// <summary>vmovdqu32 target, [source].</summary>
    public void Load(Zmm target, in MemoryOperand source) => Evex(OpcodePrefix.PrefixF3, OpcodeMap.Map0F, 0x6F, target, source, compression: 64);

    /// <summary>vmovdqu32 target, [rip + distance]: 64 bytes that are kept behind the code.</summary>
    public void LoadConstant(Zmm target, byte[] value)
    {
        Prefix(OpcodePrefix.PrefixF3, OpcodeMap.Map0F, target.Number, 0, 0, 0);
        Bytes([0x6F, (byte)((target.Number & 7) << 3 | 5)]);
        _constants.Add((_code.Count, value));
        Int32(0);
    }

    /// <summary>vmovdqu32 [target], source.</summary>
    public void Store(in MemoryOperand target, Zmm source) => Evex(OpcodePrefix.PrefixF3, OpcodeMap.Map0F, 0x7F, source, target, compression: 64);

    /// <summary>vpbroadcastd target, [source]: one 32-bit value, sixteen times.</summary>
    public void BroadcastInt32(Zmm target, in MemoryOperand source) =>
        Evex(OpcodePrefix.Prefix66, OpcodeMap.Map0F38, 0x58, target, source, compression: 4);

    /// <summary>vpandd target, left, right.</summary>
    public void And(Zmm target, Zmm left, Zmm right) => Evex(OpcodePrefix.Prefix66, OpcodeMap.Map0F, 0xDB, target, left, right);

    /// <summary>vpternlogd target, left, right, 0xF8: target | (left &amp; right).</summary>
    public void OrAnd(Zmm target, Zmm left, Zmm right)
    {
        Evex(OpcodePrefix.Prefix66, OpcodeMap.Map0F3A, 0x25, target, left, right);
        _code.Add(0xF8);
    }

    /// <summary>vpsrlw target, source, count: thirty-two 16-bit shifts to the right.</summary>
    public void ShiftRightInt16(Zmm target, Zmm source, byte count) => ShiftInt16(target, source, count, extension: 2);

    /// <summary>vpsllw target, source, count: thirty-two 16-bit shifts to the left.</summary>
    public void ShiftLeftInt16(Zmm target, Zmm source, byte count) => ShiftInt16(target, source, count, extension: 6);

    /// <summary>vpaddb target {mask}, left, right: sixty-four 8-bit sums; without a mask, all of them.</summary>
    public void AddBytes(Zmm target, Zmm left, Zmm right, MaskRegister mask = default) =>
        Evex(OpcodePrefix.Prefix66, OpcodeMap.Map0F, 0xFC, target, left, right, mask.Number);

    /// <summary>vptestmb target, left, right: a bit for each byte of left that has a bit in common with right's.</summary>
    public void TestBytes(MaskRegister target, Zmm left, Zmm right) =>
        Evex(OpcodePrefix.Prefix66, OpcodeMap.Map0F38, 0x26, new Zmm(target.Number), left, right);

    /// <summary>vbroadcasti64x4 target, [source]: 32 bytes, twice.</summary>
    public void BroadcastHalf(Zmm target, in MemoryOperand source)
    {
        Prefix(OpcodePrefix.Prefix66, OpcodeMap.Map0F38, target.Number, 0, source.Index is { } index ? High(index) : 0, High(source.Base), isWide: true);
        _code.Add(0x5B);
        Memory(target.Number, source, compression: 32);
    }

    /// <summary>prefetcht0 [source].</summary>
    public void Prefetch(in MemoryOperand source)
    {
        int index = source.Index is { } register ? High(register) : 0;
        Bytes([(byte)(0x40 | index << 1 | High(source.Base)), 0x0F, 0x18]);
        Memory(1, source, compression: 1);
    }

    /// <summary>vzeroupper: the caller's SSE code must not depend on the upper halves.</summary>
    public void ZeroUpper() => Bytes([0xC5, 0xF8, 0x77]);

    private void LoadMask(OpcodePrefix prefix, bool isWide, MaskRegister target, in MemoryOperand source)
    {
        Vex(prefix, OpcodeMap.Map0F, target.Number, 0, source, isWide);
        _code.Add(0x90);
        Memory(target.Number, source, compression: 1);
    }

    private void ShiftInt16(Zmm target, Zmm source, byte count, int extension)
    {
        Evex(OpcodePrefix.Prefix66, OpcodeMap.Map0F, 0x71, new Zmm(extension), target, source);
        _code.Add(count);
    }

    private void Evex(OpcodePrefix prefix, OpcodeMap map, byte opcode, Zmm reg, Zmm second, Zmm rm, int mask = 0)
    {
        // A vector register in the rm field takes its fourth bit from B and its fifth from X.
        Prefix(prefix, map, reg.Number, second.Number, rm.Number >> 4 & 1, rm.Number >> 3 & 1, mask);
        Bytes([opcode, ModRegisters(reg.Number, rm.Number)]);
    }

    private void Evex(OpcodePrefix prefix, OpcodeMap map, byte opcode, Zmm reg, in MemoryOperand memory, int compression, int mask = 0)
    {
        Prefix(prefix, map, reg.Number, 0, memory.Index is { } index ? High(index) : 0, High(memory.Base), mask);
        _code.Add(opcode);
        Memory(reg.Number, memory, compression);
    }

    /// <summary>The four bytes in front of the opcode; all bits that extend a register's number are stored inverted.</summary>
    private void Prefix(OpcodePrefix prefix, OpcodeMap map, int reg, int second, int x, int b, int mask = 0, bool isWide = false, bool isHalf = false)
    {
        int vectorLength = (isHalf ? 1 : 2) << 5;
        int r = reg >> 3 & 1;
        int r2 = reg >> 4 & 1;
        int v2 = second >> 4 & 1;
        Bytes([
            0x62,
            (byte)((r ^ 1) << 7 | (x ^ 1) << 6 | (b ^ 1) << 5 | (r2 ^ 1) << 4 | (int)map),
            (byte)((isWide ? 1 : 0) << 7 | (~second & 15) << 3 | 1 << 2 | (int)prefix),
            (byte)(vectorLength | (v2 ^ 1) << 3 | mask),
        ]);
    }
}
