using Iced.Intel;
using NestQuant.RuntimeOps.Tests.Kernels.Emission;

namespace NestQuant.RuntimeOps.Tests.Kernels.Tiers.Avx512Vnni;

/// <summary>
/// Executes emitted code as another decoder understands it, instruction by instruction, on processors that lack the instructions. It knows
/// only those that the kernels need, and refuses memory that it was not given.
/// </summary>
internal sealed unsafe partial class EmittedCodeInterpreter
{
    private const int Lanes = 16;
    private const int VectorBytes = 64;

    private Dictionary<ulong, Instruction> _code = [];
    private byte[] _bytes = [];
    private readonly List<(ulong Begin, ulong End, bool IsWritable)> _memory = [];
    private readonly ulong[] _registers = new ulong[16];
    private readonly int[,] _vectors = new int[32, Lanes];
    private bool _isZero;
    private bool _isLess;

    public EmittedCodeInterpreter(byte[] code)
    {
        Enter(code);

        // A caller's registers are never zero by chance, nor are vectors.
        Random random = new(1);
        for (int register = 0; register < _registers.Length; register++)
            _registers[register] = (ulong)random.NextInt64();
        for (int vector = 0; vector < 32; vector++)
        {
            for (int lane = 0; lane < Lanes; lane++)
                _vectors[vector, lane] = random.Next();
        }
    }

    /// <summary>Allows the code to access bytes.</summary>
    public void Allow(void* address, long length, bool isWritable = false) =>
        _memory.Add(((ulong)address, (ulong)address + (ulong)length, isWritable));

    /// <summary>Calls another function, whose effect on the processor's state stays, and returns to this one.</summary>
    public void Call(byte[] other, params ulong[] arguments)
    {
        (Dictionary<ulong, Instruction> code, byte[] bytes) = (_code, _bytes);
        Enter(other);
        Call(arguments);
        (_code, _bytes) = (code, bytes);
    }

    /// <summary>Calls the code as a C function of System V.</summary>
    public void Call(params ulong[] arguments)
    {
        Register[] argumentRegisters = [Register.RDI, Register.RSI, Register.RDX, Register.RCX, Register.R8, Register.R9];
        for (int i = 0; i < arguments.Length; i++)
            _registers[argumentRegisters[i].GetNumber()] = arguments[i];
        Register[] kept = [Register.RBX, Register.RBP, Register.RSP, Register.R12, Register.R13, Register.R14, Register.R15];
        ulong[] before = [.. kept.Select(register => _registers[register.GetNumber()])];
        for (ulong ip = 0; ;)
        {
            Instruction instruction = _code[ip];
            if (instruction.Mnemonic == Mnemonic.Ret)
                break;
            ip = Step(instruction) ? instruction.NearBranchTarget : instruction.NextIP;
        }

        Assert.Equal(before, kept.Select(register => _registers[register.GetNumber()]));
    }

    private void Enter(byte[] code)
    {
        // Pinned: the constants behind the code have addresses.
        _bytes = GC.AllocateUninitializedArray<byte>(code.Length, pinned: true);
        code.CopyTo(_bytes, 0);
        Allow((void*)CodeAddress, code.Length);
        _code = Disassembly.Decode(code).ToDictionary(instruction => instruction.IP);
    }

    /// <summary>Executes one instruction.</summary>
    /// <returns>Whether a jump is taken.</returns>
    private bool Step(in Instruction instruction)
    {
        if (TryMove(instruction))
            return false;
        switch (instruction.Mnemonic)
        {
            case Mnemonic.Add:
                Arithmetic(instruction, isSubtraction: false);
                return false;
            case Mnemonic.Sub:
                Arithmetic(instruction, isSubtraction: true);
                return false;
            case Mnemonic.Shl:
                _registers[instruction.Op0Register.GetNumber()] <<= instruction.Immediate8;
                return false;
            case Mnemonic.Xor:
                Assert.Equal(instruction.Op0Register, instruction.Op1Register);
                _registers[instruction.Op0Register.GetNumber()] = 0;
                return false;
            case Mnemonic.Lea:
                _registers[instruction.Op0Register.GetNumber()] = Address(instruction);
                return false;
            case Mnemonic.Je:
                return _isZero;
            case Mnemonic.Jne:
                return !_isZero;
            case Mnemonic.Jl:
                return _isLess;
            case Mnemonic.Jge:
                return !_isLess;
            case Mnemonic.Vzeroupper or Mnemonic.Prefetcht0:
                return false;
            default:
                StepVector(instruction);
                return false;
        }
    }

    private void StepVector(in Instruction instruction)
    {
        if (TryTile(instruction) || TryPack(instruction) || TryConvert(instruction) || TryBits(instruction))
            return;
        int target = instruction.Op0Register.GetNumber();
        int left = instruction.Op1Register.GetNumber();
        int right = instruction.Op2Register.GetNumber();
        Assert.False(instruction.HasOpMask || instruction.IsBroadcast || instruction.ZeroingMasking);
        switch (instruction.Code)
        {
            case Code.EVEX_Vmovdqu32_zmm_k1z_zmmm512:
                int* source = (int*)Checked(Address(instruction), VectorBytes, isWrite: false);
                for (int lane = 0; lane < Lanes; lane++)
                    _vectors[target, lane] = source[lane];
                break;
            case Code.EVEX_Vmovdqu32_zmmm512_k1z_zmm:
                int* destination = (int*)Checked(Address(instruction), VectorBytes, isWrite: true);
                for (int lane = 0; lane < Lanes; lane++)
                    destination[lane] = _vectors[left, lane];
                break;
            case Code.EVEX_Vpbroadcastd_zmm_k1z_xmmm32:
                int value = *(int*)Checked(Address(instruction), sizeof(int), isWrite: false);
                for (int lane = 0; lane < Lanes; lane++)
                    _vectors[target, lane] = value;
                break;
            case Code.EVEX_Vpxord_zmm_k1z_zmm_zmmm512b32 when instruction.Op2Kind == OpKind.Memory:
                int* other = (int*)Checked(Address(instruction), VectorBytes, isWrite: false);
                for (int lane = 0; lane < Lanes; lane++)
                    _vectors[target, lane] = _vectors[left, lane] ^ other[lane];
                break;
            case Code.EVEX_Vpxord_zmm_k1z_zmm_zmmm512b32:
                for (int lane = 0; lane < Lanes; lane++)
                    _vectors[target, lane] = _vectors[left, lane] ^ _vectors[right, lane];
                break;
            case Code.EVEX_Vpaddd_zmm_k1z_zmm_zmmm512b32:
                for (int lane = 0; lane < Lanes; lane++)
                    _vectors[target, lane] = _vectors[left, lane] + _vectors[right, lane];
                break;
            case Code.EVEX_Vpdpbusd_zmm_k1z_zmm_zmmm512b32:
                for (int lane = 0; lane < Lanes; lane++)
                {
                    for (int shift = 0; shift < 32; shift += 8)
                        _vectors[target, lane] += (byte)(_vectors[left, lane] >> shift) * (sbyte)(_vectors[right, lane] >> shift);
                }

                break;
            case Code.EVEX_Vpdpwssd_zmm_k1z_zmm_zmmm512b32:
                for (int lane = 0; lane < Lanes; lane++)
                {
                    for (int shift = 0; shift < 32; shift += 16)
                        _vectors[target, lane] += (short)(_vectors[left, lane] >> shift) * (short)(_vectors[right, lane] >> shift);
                }

                break;
            default:
                throw new NotSupportedException($"{instruction} is not an instruction of the kernels");
        }
    }

    private void Arithmetic(in Instruction instruction, bool isSubtraction) =>
        Arithmetic(instruction, (long)instruction.GetImmediate(1), isSubtraction);

    private void Arithmetic(in Instruction instruction, long right, bool isSubtraction)
    {
        ref ulong target = ref _registers[instruction.Op0Register.GetNumber()];
        long left = (long)target;
        Int128 exact = isSubtraction ? (Int128)left - right : (Int128)left + right;
        target = (ulong)(long)exact;
        _isZero = target == 0;

        // Sign differs from overflow: the sign of the exact result.
        _isLess = exact < 0;
    }

    private ulong CodeAddress => (ulong)System.Runtime.InteropServices.Marshal.UnsafeAddrOfPinnedArrayElement(_bytes, 0);

    private ulong Address(in Instruction instruction)
    {
        if (instruction.IsIPRelativeMemoryOperand)
            return CodeAddress + instruction.IPRelativeMemoryAddress;
        ulong index = instruction.MemoryIndex == Register.None ? 0 : _registers[instruction.MemoryIndex.GetNumber()];
        return _registers[
            instruction.MemoryBase.GetNumber()
        ] + index * (ulong)instruction.MemoryIndexScale + instruction.MemoryDisplacement64;
    }

    private void* Checked(ulong address, int length, bool isWrite)
    {
        Assert.Contains(_memory, range => address >= range.Begin && address + (ulong)length <= range.End && (range.IsWritable || !isWrite));
        return (void*)address;
    }
}
