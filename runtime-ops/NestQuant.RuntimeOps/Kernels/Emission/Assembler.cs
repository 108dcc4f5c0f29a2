using System.Buffers.Binary;

namespace NestQuant.RuntimeOps.Kernels.Emission;

/// <summary>
/// Writes x86-64 machine code: the few instructions of the emitted kernels, in the encodings of the Intel 64 manual, volume 2.
/// </summary>
internal sealed partial class Assembler
{
    /// <summary>Alignment of a function's first byte, which its constants need.</summary>
    public const int Alignment = 64;

    /// <summary>int3; never executed.</summary>
    public const byte Trap = 0xCC;

    private const byte RexW = 0x48;

    private readonly List<byte> _code = [];
    private readonly List<(int Distance, byte[] Value)> _constants = [];
    private int _pendingJumps;

    /// <summary>The code so far, followed by the constants that it loads.</summary>
    /// <exception cref="InvalidOperationException">A jump's label has not been bound.</exception>
    public byte[] ToCode()
    {
        if (_pendingJumps > 0)
            throw new InvalidOperationException("a jump leads to a label that was never bound");
        foreach ((int distance, byte[] value) in _constants)
        {
            _code.AddRange(Enumerable.Repeat(Trap, -_code.Count & (Alignment - 1)));
            Patch(distance, _code.Count);
            _code.AddRange(value);
        }

        _constants.Clear();
        return [.. _code];
    }

    /// <summary>add target, value.</summary>
    public void Add(Register target, int value) => Arithmetic(target, value, extension: 0);

    /// <summary>sub target, value: sets the flags that <see cref="Jump"/> reads.</summary>
    public void Subtract(Register target, int value) => Arithmetic(target, value, extension: 5);

    /// <summary>mov target, [source].</summary>
    public void Load(Register target, in MemoryOperand source) => Memory64(0x8B, target, source);

    /// <summary>mov [target], source.</summary>
    public void Store(in MemoryOperand target, Register source) => Memory64(0x89, source, target);

    /// <summary>add target, [source].</summary>
    public void Add(Register target, in MemoryOperand source) => Memory64(0x03, target, source);

    /// <summary>cmp left, [right]: sets the flags that <see cref="Jump"/> reads.</summary>
    public void Compare(Register left, in MemoryOperand right) => Memory64(0x3B, left, right);

    /// <summary>prefetcht0 [source].</summary>
    public void Prefetch(in MemoryOperand source)
    {
        int index = source.Index is { } register ? High(register) : 0;
        Bytes([(byte)(0x40 | index << 1 | High(source.Base)), 0x0F, 0x18]);
        Memory(1, source, compression: 1);
    }

    /// <summary>or target, source.</summary>
    public void Or(Register target, Register source) =>
        Bytes([(byte)(RexW | High(source) << 2 | High(target)), 0x09, ModRegisters((int)source, (int)target)]);

    /// <summary>shl target, count.</summary>
    public void ShiftLeft(Register target, byte count) =>
        Bytes([(byte)(RexW | High(target)), 0xC1, ModRegisters(4, (int)target), count]);

    /// <summary>lea target, [source].</summary>
    public void LoadAddress(Register target, in MemoryOperand source) => Memory64(0x8D, target, source);

    /// <summary>xor target, target in 32 bits, which clears all 64.</summary>
    public void Clear(Register target)
    {
        if (High(target) != 0)
            _code.Add(0x45);
        Bytes([0x31, ModRegisters((int)target, (int)target)]);
    }

    /// <summary>jcc target.</summary>
    public void Jump(Condition condition, Label target)
    {
        Bytes([0x0F, (byte)(0x80 | (int)condition)]);
        int distance = _code.Count;
        Int32(0);
        if (target.Position is { } position)
        {
            Patch(distance, position);
        }
        else
        {
            target.Pending.Add(distance);
            _pendingJumps++;
        }
    }

    /// <summary>Puts a label at the next instruction.</summary>
    public void Bind(Label label)
    {
        label.Position = _code.Count;
        foreach (int distance in label.Pending)
            Patch(distance, _code.Count);
        _pendingJumps -= label.Pending.Count;
        label.Pending.Clear();
    }

    /// <summary>ret.</summary>
    public void Return() => _code.Add(0xC3);

    /// <summary>xgetbv: edx:eax = the extended control register that ecx names.</summary>
    public void GetExtendedControlRegister() => Bytes([0x0F, 0x01, 0xD0]);

    private static int High(Register register) => (int)register >> 3;

    private static byte ModRegisters(int reg, int rm) => (byte)(0xC0 | (reg & 7) << 3 | rm & 7);

    private static bool FitsByte(int value) => value == (sbyte)value;

    private void Arithmetic(Register target, int value, int extension)
    {
        bool isShort = FitsByte(value);
        Bytes([(byte)(RexW | High(target)), (byte)(isShort ? 0x83 : 0x81), ModRegisters(extension, (int)target)]);
        if (isShort)
            _code.Add((byte)value);
        else
            Int32(value);
    }

    private void Memory64(byte opcode, Register reg, in MemoryOperand memory)
    {
        int index = memory.Index is { } register ? High(register) : 0;
        Bytes([(byte)(RexW | High(reg) << 2 | index << 1 | High(memory.Base)), opcode]);
        Memory((int)reg, memory, compression: 1);
    }

    /// <summary>ModRM, SIB and displacement; EVEX counts a one-byte displacement in units of what it accesses.</summary>
    /// <param name="reg">The ModRM byte's register field.</param>
    /// <param name="operand">The address.</param>
    /// <param name="compression">Bytes per unit of a one-byte displacement; 1 in instructions without EVEX.</param>
    private void Memory(int reg, in MemoryOperand operand, int compression)
    {
        (int units, int rest) = Math.DivRem(operand.Displacement, compression);
        bool isShort = rest == 0 && FitsByte(units);

        // Mode 0 has no displacement, except that a base of rbp or r13 then means an address relative to the next instruction.
        int baseNumber = (int)operand.Base & 7;
        int mode = operand.Displacement == 0 && baseNumber != (int)Register.Rbp ? 0 : isShort ? 1 : 2;
        if (operand.Index is null && baseNumber != (int)Register.Rsp)
        {
            _code.Add((byte)(mode << 6 | (reg & 7) << 3 | baseNumber));
        }
        else
        {
            int index = (int)(operand.Index ?? Register.Rsp);
            int scale = int.TrailingZeroCount(operand.Scale);
            Bytes([(byte)(mode << 6 | (reg & 7) << 3 | 4), (byte)(scale << 6 | (index & 7) << 3 | baseNumber)]);
        }

        if (mode == 1)
            _code.Add((byte)units);
        else if (mode == 2)
            Int32(operand.Displacement);
    }

    /// <summary>Writes a jump's distance, counted from the end of its four bytes.</summary>
    private void Patch(int distance, int position)
    {
        Span<byte> bytes = stackalloc byte[sizeof(int)];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, position - (distance + sizeof(int)));
        for (int i = 0; i < bytes.Length; i++)
            _code[distance + i] = bytes[i];
    }

    private void Int32(int value)
    {
        Span<byte> bytes = stackalloc byte[sizeof(int)];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, value);
        Bytes(bytes);
    }

    private void Bytes(ReadOnlySpan<byte> bytes) => _code.AddRange(bytes);
}
