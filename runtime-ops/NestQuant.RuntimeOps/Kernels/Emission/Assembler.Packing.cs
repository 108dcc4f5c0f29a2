namespace NestQuant.RuntimeOps.Kernels.Emission;

/// <summary>The instructions that move bytes between lanes, halves of registers and masked memory. A half is the lower 32 bytes of a
/// register.</summary>
internal sealed partial class Assembler
{
    private const int Half = 32;

    private static readonly VectorForm Quarters512 = new(OpcodePrefix.Prefix66, OpcodeMap.Map0F3A) { IsWide = true };
    private static readonly VectorForm Half256 = new(OpcodePrefix.PrefixF3, OpcodeMap.Map0F) { IsHalf = true };
    private static readonly VectorForm HalfBytes256 = new(OpcodePrefix.PrefixF2, OpcodeMap.Map0F) { IsHalf = true };

    /// <summary>kmovw target, [source]: 16 mask bits.</summary>
    public void Load16(MaskRegister target, in MemoryOperand source) => LoadMask(Single512, target, source);

    /// <summary>kmovd target, [source]: 32 mask bits.</summary>
    public void Load32(MaskRegister target, in MemoryOperand source) => LoadMask(Int512 with { IsWide = true }, target, source);

    /// <summary>kmovq target, [source]: 64 mask bits.</summary>
    public void Load64(MaskRegister target, in MemoryOperand source) => LoadMask(Single512 with { IsWide = true }, target, source);

    /// <summary>vbroadcasti64x4 target, [source]: 32 bytes, twice.</summary>
    public void BroadcastHalf(Zmm target, in MemoryOperand source) =>
        Encode(Int512In38 with { IsWide = true }, 0x5B, target, default, source, Half);

    /// <summary>vmovdqu32 target, [source] on 256 bits; the upper half becomes 0.</summary>
    public void LoadHalf(Zmm target, in MemoryOperand source) => Encode(Half256, 0x6F, target, default, source, Half);

    /// <summary>
    /// vmovdqu8 target {mask}, [source] on 256 bits: bytes without a mask bit are not read and become 0, as does the upper half.
    /// </summary>
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
    public void PermuteInt32(Zmm target, Zmm order, Zmm source) => Encode(Int512In38, 0x36, target, order, source);

    /// <summary>vpermt2d first, order, second: sixteen of the 32-bit values of two registers, in place of the first.</summary>
    public void SelectInt32(Zmm first, Zmm order, Zmm second) => Encode(Int512In38, 0x7E, first, order, second);

    /// <summary>vpshufb target, source, order: within each 16 bytes.</summary>
    public void ShuffleBytes(Zmm target, Zmm source, Zmm order) => Encode(Int512In38, 0x00, target, source, order);

    /// <summary>vpackssdw target, left, right: 32-bit integers to 16 bits, saturated, within each 16 bytes.</summary>
    public void PackInt32(Zmm target, Zmm left, Zmm right) => Encode(Int512, 0x6B, target, left, right);

    /// <summary>vpackuswb target, left, right: 16-bit integers to unsigned bytes, saturated, within each 16 bytes.</summary>
    public void PackInt16(Zmm target, Zmm left, Zmm right) => Encode(Int512, 0x67, target, left, right);

    private void LoadMask(in VectorForm form, MaskRegister target, in MemoryOperand source) => EncodeVex(form, 0x90, target.Number, source);
}
