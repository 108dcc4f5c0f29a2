using NestQuant.RuntimeOps.Kernels.Tiers.Avx2;

namespace NestQuant.RuntimeOps.Kernels.Emission;

/// <summary>Loads, stores and integer arithmetic of 512 bits.</summary>
internal sealed partial class Assembler
{
    private const int Whole = 64;

    /// <summary>vmovdqu32 target, [source].</summary>
    public void Load(Zmm target, in MemoryOperand source) => Encode(Move512, 0x6F, target, default, source, Whole);

    /// <summary>vmovdqu32 target, [rip + distance]: 64 bytes that are stored after the code.</summary>
    public void LoadConstant(Zmm target, byte[] value)
    {
        Prefix(Move512, target.Number, 0, 0, 0);
        Bytes([0x6F, (byte)((target.Number & 7) << 3 | 5)]);
        _constants.Add((_code.Count, value));
        Int32(0);
    }

    /// <summary>vpbroadcastd target, [source]: one 32-bit value, sixteen times.</summary>
    public void BroadcastInt32(Zmm target, in MemoryOperand source) => Encode(Int512In38, 0x58, target, default, source, sizeof(int));

    /// <summary>vmovdqu32 [target], source.</summary>
    public void Store(in MemoryOperand target, Zmm source) => Encode(Move512, 0x7F, source, default, target, Whole);

    /// <summary>vmovdqu32 [target] {mask}, source.</summary>
    public void Store(in MemoryOperand target, MaskRegister mask, Zmm source) =>
        Encode(Move512 with { Mask = mask.Number }, 0x7F, source, default, target, Whole);

    /// <summary>vmovdqa32 target, source.</summary>
    public void Copy(Zmm target, Zmm source) => Encode(Int512, 0x6F, target, default, source);

    /// <summary>vpxord target, left, right.</summary>
    public void Xor(Zmm target, Zmm left, Zmm right) => Encode(Int512, 0xEF, target, left, right);

    /// <summary>vpxord target, left, [right].</summary>
    public void Xor(Zmm target, Zmm left, in MemoryOperand right) => Encode(Int512, 0xEF, target, left, right, Whole);

    /// <summary>vpandd target, left, right.</summary>
    public void And(Zmm target, Zmm left, Zmm right) => Encode(Int512, 0xDB, target, left, right);

    /// <summary>vpandnd target, left, right: ~left &amp; right.</summary>
    public void AndNot(Zmm target, Zmm left, Zmm right) => Encode(Int512, 0xDF, target, left, right);

    /// <summary>vpternlogd target, left, right, 0xF8: target | (left &amp; right).</summary>
    public void OrAnd(Zmm target, Zmm left, Zmm right) => Ternary(target, left, right, 0xF8);

    /// <summary>vpternlogd target, source, mask, 0xD8: where the mask has a bit, the source's instead of the target's.</summary>
    public void Replace(Zmm target, Zmm source, Zmm mask) => Ternary(target, source, mask, 0xD8);

    /// <summary>vpaddd target, left, right: sixteen 32-bit sums.</summary>
    public void AddInt32(Zmm target, Zmm left, Zmm right) => Encode(Int512, 0xFE, target, left, right);

    /// <summary>vpsubd target, left, right: sixteen 32-bit differences.</summary>
    public void SubtractInt32(Zmm target, Zmm left, Zmm right) => Encode(Int512, 0xFA, target, left, right);

    /// <summary>vpaddsw target, left, right: 16-bit sums, saturated.</summary>
    public void AddInt16(Zmm target, Zmm left, Zmm right) => Encode(Int512, 0xED, target, left, right);

    /// <summary>vpaddb target {mask}, left, right: 8-bit sums; without a mask, all of them.</summary>
    public void AddInt8(Zmm target, Zmm left, Zmm right, MaskRegister mask = default) =>
        Encode(Int512 with { Mask = mask.Number }, 0xFC, target, left, right);

    /// <summary>vpsubb target {mask}, left, right: 8-bit differences; without a mask, all of them.</summary>
    public void SubtractInt8(Zmm target, Zmm left, Zmm right, MaskRegister mask = default) =>
        Encode(Int512 with { Mask = mask.Number }, 0xF8, target, left, right);

    /// <summary>vpminub target, left, right: the lesser unsigned bytes.</summary>
    public void MinUInt8(Zmm target, Zmm left, Zmm right) => Encode(Int512, 0xDA, target, left, right);

    /// <summary>vpmaxub target, left, right: the greater unsigned bytes.</summary>
    public void MaxUInt8(Zmm target, Zmm left, Zmm right) => Encode(Int512, 0xDE, target, left, right);

    /// <summary>vptestnmb target, left, right: a bit for each byte of left that has no bit in common with right's.</summary>
    public void TestZeroInt8(MaskRegister target, Zmm left, Zmm right) => Encode(Move512In38, 0x26, new Zmm(target.Number), left, right);

    /// <summary>vpsrlw target, source, count: 16-bit shifts to the right.</summary>
    public void ShiftRightInt16(Zmm target, Zmm source, byte count) => ShiftInt16(target, source, count, extension: 2);

    /// <summary>vpsllw target, source, count: 16-bit shifts to the left.</summary>
    public void ShiftLeftInt16(Zmm target, Zmm source, byte count) => ShiftInt16(target, source, count, extension: 6);

    /// <summary>
    /// vpdpbusd accumulators, left, right: adds four products of unsigned and signed bytes to each 32-bit accumulator, without saturation.
    /// </summary>
    public void DotProduct(Zmm accumulators, Zmm unsigned, Zmm signed) => Encode(Int512In38, 0x50, accumulators, unsigned, signed);

    /// <summary>
    /// vpdpwssd accumulators, left, right: adds two products of signed 16-bit integers to each 32-bit accumulator, without saturation.
    /// </summary>
    public void DotProductInt16(Zmm accumulators, Zmm left, Zmm right) => Encode(Int512In38, 0x52, accumulators, left, right);

    /// <summary>vzeroupper: the caller's SSE code must not depend on the upper halves.</summary>
    public void ZeroUpper() => Bytes([0xC5, 0xF8, 0x77]);

    private void Ternary(Zmm target, Zmm left, Zmm right, byte table)
    {
        Encode(Int512In3A, 0x25, target, left, right);
        _code.Add(table);
    }

    private void ShiftInt16(Zmm target, Zmm source, byte count, int extension)
    {
        Encode(Int512, 0x71, new Zmm(extension), target, source);
        _code.Add(count);
    }
}
