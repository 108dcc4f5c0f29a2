namespace NestQuant.RuntimeOps.Kernels.Emission;

/// <summary>The prefixes of instructions on vectors, masks and tiles: EVEX and VEX.</summary>
internal sealed partial class Assembler
{
    private static readonly VectorForm Single512 = new(OpcodePrefix.None, OpcodeMap.Map0F);
    private static readonly VectorForm Int512 = new(OpcodePrefix.Prefix66, OpcodeMap.Map0F);
    private static readonly VectorForm Int512In38 = new(OpcodePrefix.Prefix66, OpcodeMap.Map0F38);
    private static readonly VectorForm Int512In3A = new(OpcodePrefix.Prefix66, OpcodeMap.Map0F3A);
    private static readonly VectorForm Move512In38 = new(OpcodePrefix.PrefixF3, OpcodeMap.Map0F38);
    private static readonly VectorForm Move512 = new(OpcodePrefix.PrefixF3, OpcodeMap.Map0F);

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

    /// <summary>The four bytes of EVEX; all bits that extend a register's number are stored inverted.</summary>
    private void Prefix(in VectorForm form, int reg, int second, int x, int b) => Bytes([
        0x62,
        (byte)((reg >> 3 & 1 ^ 1) << 7 | (x ^ 1) << 6 | (b ^ 1) << 5 | (reg >> 4 & 1 ^ 1) << 4 | (int)form.Map),
        (byte)((form.IsWide ? 1 : 0) << 7 | (~second & 15) << 3 | 1 << 2 | (int)form.Prefix),
        (byte)((form.IsZeroing ? 1 : 0) << 7 | (form.IsHalf ? 1 : 2) << 5 | (second >> 4 & 1 ^ 1) << 3 | form.Mask),
    ]);

    /// <summary>An instruction of masks or tiles with a memory operand, after the three bytes of VEX.</summary>
    private void EncodeVex(in VectorForm form, byte opcode, int reg, in MemoryOperand memory)
    {
        int x = memory.Index is { } index ? High(index) : 0;
        Bytes([
            0xC4,
            (byte)(1 << 7 | (x ^ 1) << 6 | (High(memory.Base) ^ 1) << 5 | (int)form.Map),
            (byte)((form.IsWide ? 1 : 0) << 7 | 15 << 3 | (int)form.Prefix),
            opcode,
        ]);
        Memory(reg, memory, compression: 1);
    }

    /// <summary>The content of a prefix besides registers.</summary>
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
