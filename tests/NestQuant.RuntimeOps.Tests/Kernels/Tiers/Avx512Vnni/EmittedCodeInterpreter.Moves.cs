using System.Runtime.InteropServices;
using Iced.Intel;

namespace NestQuant.RuntimeOps.Tests.Kernels.Tiers.Avx512Vnni;

/// <summary>Moves between memory and general-purpose or mask registers, and float arithmetic.</summary>
internal sealed unsafe partial class EmittedCodeInterpreter
{
    private readonly ulong[] _masks = new ulong[8];

    /// <summary>Executes one instruction if it is of this kind.</summary>
    private bool TryMove(in Instruction instruction)
    {
        switch (instruction.Code)
        {
            case Code.Mov_r64_rm64:
                _registers[instruction.Op0Register.GetNumber()] = *(ulong*)Checked(Address(instruction), sizeof(ulong), isWrite: false);
                return true;
            case Code.Mov_rm64_r64:
                *(ulong*)Checked(Address(instruction), sizeof(ulong), isWrite: true) = _registers[instruction.Op1Register.GetNumber()];
                return true;
            case Code.Add_r64_rm64:
                Arithmetic(instruction, *(long*)Checked(Address(instruction), sizeof(long), isWrite: false), isSubtraction: false);
                return true;
            case Code.Cmp_r64_rm64:
                ulong before = _registers[instruction.Op0Register.GetNumber()];
                Arithmetic(instruction, *(long*)Checked(Address(instruction), sizeof(long), isWrite: false), isSubtraction: true);
                _registers[instruction.Op0Register.GetNumber()] = before;
                return true;
            case Code.VEX_Kmovw_kr_km16:
                _masks[instruction.Op0Register.GetNumber()] = *(ushort*)Checked(Address(instruction), sizeof(ushort), isWrite: false);
                return true;
            case Code.VEX_Kmovd_kr_km32:
                _masks[instruction.Op0Register.GetNumber()] = *(uint*)Checked(Address(instruction), sizeof(uint), isWrite: false);
                return true;
            case Code.VEX_Kmovq_kr_km64:
                _masks[instruction.Op0Register.GetNumber()] = *(ulong*)Checked(Address(instruction), sizeof(ulong), isWrite: false);
                return true;
            default:
                return false;
        }
    }

    /// <summary>Executes one instruction on sixteen 32-bit lanes if it is of this kind.</summary>
    private bool TryConvert(in Instruction instruction)
    {
        int target = instruction.Op0Register.GetNumber();
        int left = instruction.Op1Register.GetNumber();
        int right = instruction.Op2Register.GetNumber();
        bool isFromMemory = instruction.Op2Kind == OpKind.Memory;
        float[] factors = isFromMemory && (instruction.Mnemonic is Mnemonic.Vmulps or Mnemonic.Vaddps)
            ? [.. MemoryMarshal.Cast<byte, float>(Memory(instruction, VectorBytes, isWrite: false))]
            : [];
        Func<int, int>? operation = instruction.Code switch
        {
            Code.EVEX_Vmulps_zmm_k1z_zmm_zmmm512b32_er when isFromMemory => lane => Bits(Single(left, lane) * factors[lane]),
            Code.EVEX_Vaddps_zmm_k1z_zmm_zmmm512b32_er when isFromMemory => lane => Bits(Single(left, lane) + factors[lane]),
            Code.EVEX_Vpsubd_zmm_k1z_zmm_zmmm512b32 => lane => _vectors[left, lane] - _vectors[right, lane],
            Code.EVEX_Vcvtdq2ps_zmm_k1z_zmmm512b32_er => lane => Bits(_vectors[left, lane]),
            Code.EVEX_Vcvtps2dq_zmm_k1z_zmmm512b32_er => lane => Integer(Single(left, lane)),
            Code.EVEX_Vmulps_zmm_k1z_zmm_zmmm512b32_er => lane => Bits(Single(left, lane) * Single(right, lane)),
            Code.EVEX_Vaddps_zmm_k1z_zmm_zmmm512b32_er => lane => Bits(Single(left, lane) + Single(right, lane)),
            Code.EVEX_Vmovdqa32_zmm_k1z_zmmm512 => lane => _vectors[left, lane],
            _ => null,
        };
        if (operation is null)
            return false;
        Assert.False(instruction.HasOpMask || instruction.IsBroadcast);
        Assert.False(instruction.Op1Kind == OpKind.Memory || (isFromMemory && factors.Length == 0));
        int[] results = [.. Enumerable.Range(0, Lanes).Select(operation)];
        for (int lane = 0; lane < Lanes; lane++)
            _vectors[target, lane] = results[lane];
        return true;
    }

    private float Single(int vector, int lane) => BitConverter.Int32BitsToSingle(_vectors[vector, lane]);

    private static int Bits(float value) => BitConverter.SingleToInt32Bits(value);

    private static int Integer(float value)
    {
        double rounded = Math.Round((double)value, MidpointRounding.ToEven);
        return rounded is >= int.MinValue and <= int.MaxValue ? (int)rounded : int.MinValue;
    }
}
