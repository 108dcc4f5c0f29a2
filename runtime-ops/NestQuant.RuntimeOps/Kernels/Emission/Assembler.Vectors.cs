namespace NestQuant.RuntimeOps.Kernels.Emission;

/// <summary>The 512-bit instructions: EVEX with W = 0, no mask, no rounding override.</summary>
internal sealed partial class Assembler
{
    /// <summary>The opcode maps, by their number in the prefix.</summary>
    private enum OpcodeMap
    {
        Map0F = 1,
        Map0F38 = 2,
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

    /// <summary>vpdpbusd sums, left, right: adds four products of unsigned and signed bytes to each 32-bit sum, without saturation.</summary>
    public void DotProduct(Zmm sums, Zmm unsigned, Zmm signed) => Evex(OpcodePrefix.Prefix66, OpcodeMap.Map0F38, 0x50, sums, unsigned, signed);

    /// <summary>vmovdqu32 target, [source].</summary>
    public void Load(Zmm target, in MemoryOperand source) => Evex(OpcodePrefix.PrefixF3, OpcodeMap.Map0F, 0x6F, target, source, compression: 64);

    /// <summary>vmovdqu32 [target], source.</summary>
    public void Store(in MemoryOperand target, Zmm source) => Evex(OpcodePrefix.PrefixF3, OpcodeMap.Map0F, 0x7F, source, target, compression: 64);

    /// <summary>vpbroadcastd target, [source]: one 32-bit value, sixteen times.</summary>
    public void BroadcastInt32(Zmm target, in MemoryOperand source) =>
        Evex(OpcodePrefix.Prefix66, OpcodeMap.Map0F38, 0x58, target, source, compression: 4);

    /// <summary>vzeroupper: the caller's SSE code must not depend on the upper halves.</summary>
    public void ZeroUpper() => Bytes([0xC5, 0xF8, 0x77]);

    private void Evex(OpcodePrefix prefix, OpcodeMap map, byte opcode, Zmm reg, Zmm second, Zmm rm)
    {
        // A vector register in the rm field takes its fourth bit from B and its fifth from X.
        Prefix(prefix, map, reg.Number, second.Number, rm.Number >> 4 & 1, rm.Number >> 3 & 1);
        Bytes([opcode, ModRegisters(reg.Number, rm.Number)]);
    }

    private void Evex(OpcodePrefix prefix, OpcodeMap map, byte opcode, Zmm reg, in MemoryOperand memory, int compression)
    {
        Prefix(prefix, map, reg.Number, 0, memory.Index is { } index ? High(index) : 0, High(memory.Base));
        _code.Add(opcode);
        Memory(reg.Number, memory, compression);
    }

    /// <summary>The four bytes in front of the opcode; all bits that extend a register's number are stored inverted.</summary>
    private void Prefix(OpcodePrefix prefix, OpcodeMap map, int reg, int second, int x, int b)
    {
        const int vectorLength512 = 2 << 5;
        int r = reg >> 3 & 1;
        int r2 = reg >> 4 & 1;
        int v2 = second >> 4 & 1;
        Bytes([
            0x62,
            (byte)((r ^ 1) << 7 | (x ^ 1) << 6 | (b ^ 1) << 5 | (r2 ^ 1) << 4 | (int)map),
            (byte)((~second & 15) << 3 | 1 << 2 | (int)prefix),
            (byte)(vectorLength512 | (v2 ^ 1) << 3),
        ]);
    }
}
