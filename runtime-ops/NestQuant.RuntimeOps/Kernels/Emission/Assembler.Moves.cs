namespace NestQuant.RuntimeOps.Kernels.Emission;

/// <summary>Moves between memory and general-purpose or mask registers.</summary>
internal sealed partial class Assembler
{
    /// <summary>mov target, [source].</summary>
    public void Load(Register target, in MemoryOperand source) => Move64(0x8B, target, source);

    /// <summary>mov [target], source.</summary>
    public void Store(in MemoryOperand target, Register source) => Move64(0x89, source, target);

    /// <summary>add target, [source].</summary>
    public void Add(Register target, in MemoryOperand source) => Move64(0x03, target, source);

    /// <summary>cmp left, [right]: sets the flags that <see cref="Jump"/> reads.</summary>
    public void Compare(Register left, in MemoryOperand right) => Move64(0x3B, left, right);

    /// <summary>kmovq target, [source]: 64 mask bits.</summary>
    public void Load64(MaskRegister target, in MemoryOperand source)
    {
        // VEX in three bytes, map 0F, W = 1; bits that extend a register's number are stored inverted.
        int index = source.Index is { } register ? High(register) : 0;
        Bytes([0xC4, (byte)(1 << 7 | (index ^ 1) << 6 | (High(source.Base) ^ 1) << 5 | (int)OpcodeMap.Map0F), 0xF8, 0x90]);
        Memory(target.Number, source, compression: 1);
    }

    private void Move64(byte opcode, Register reg, in MemoryOperand memory)
    {
        int index = memory.Index is { } register ? High(register) : 0;
        Bytes([(byte)(RexW | High(reg) << 2 | index << 1 | High(memory.Base)), opcode]);
        Memory((int)reg, memory, compression: 1);
    }
}
