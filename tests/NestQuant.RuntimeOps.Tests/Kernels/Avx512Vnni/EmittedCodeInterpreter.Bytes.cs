using System.Runtime.InteropServices;
using Iced.Intel;

namespace NestQuant.RuntimeOps.Tests.Kernels.Avx512Vnni;

/// <summary>The instructions that shift, mask, test and pack bytes.</summary>
internal sealed unsafe partial class EmittedCodeInterpreter
{
    private const int LaneBytes = 16;

    /// <summary>Executes an instruction on bytes.</summary>
    /// <returns>Whether it is one.</returns>
    private bool StepBytes(in Instruction instruction)
    {
        int number = instruction.Op0Register.GetNumber();
        Span<byte> target = instruction.Op0Register.IsZMM() ? Bytes(number) : default;
        byte[] left = instruction.Op1Register.IsZMM() ? Bytes(instruction.Op1Register.GetNumber()).ToArray() : [];
        byte[] right = instruction.Op2Register.IsZMM() ? Bytes(instruction.Op2Register.GetNumber()).ToArray() : [];
        switch (instruction.Code)
        {
            case Code.EVEX_Vpandd_zmm_k1z_zmm_zmmm512b32:
                for (int i = 0; i < VectorBytes; i++)
                    target[i] = (byte)(left[i] & right[i]);
                return true;
            case Code.EVEX_Vpternlogd_zmm_k1z_zmm_zmmm512b32_imm8:
                Assert.Equal(0xF8, instruction.Immediate8);
                for (int i = 0; i < VectorBytes; i++)
                    target[i] |= (byte)(left[i] & right[i]);
                return true;
            case Code.EVEX_Vpsrlw_zmm_k1z_zmmm512_imm8:
            case Code.EVEX_Vpsllw_zmm_k1z_zmmm512_imm8:
                bool isRight = instruction.Mnemonic == Mnemonic.Vpsrlw;
                for (int i = 0; i < VectorBytes; i += sizeof(ushort))
                {
                    ushort value = BitConverter.ToUInt16(left, i);
                    BitConverter.TryWriteBytes(target[i..], (ushort)(isRight ? value >> instruction.Immediate8 : value << instruction.Immediate8));
                }

                return true;
            case Code.EVEX_Vpaddb_zmm_k1z_zmm_zmmm512:
                Assert.False(instruction.ZeroingMasking);
                for (int i = 0; i < VectorBytes; i++)
                {
                    if (!instruction.HasOpMask || (_masks[instruction.OpMask.GetNumber()] >> i & 1) != 0)
                        target[i] = (byte)(left[i] + right[i]);
                }

                return true;
            case Code.EVEX_Vptestmb_kr_k1_zmm_zmmm512:
                _masks[number] = 0;
                for (int i = 0; i < VectorBytes; i++)
                    _masks[number] |= (left[i] & right[i]) != 0 ? 1UL << i : 0;
                return true;
            case Code.EVEX_Vbroadcasti64x4_zmm_k1z_m256:
                ReadOnlySpan<byte> half = new(Checked(Address(instruction), VectorBytes / 2, isWrite: false), VectorBytes / 2);
                half.CopyTo(target);
                half.CopyTo(target[half.Length..]);
                return true;
            case Code.EVEX_Vpackssdw_zmm_k1z_zmm_zmmm512b32:
                Pack<int, short>(left, right, target, static value => (short)Math.Clamp(value, short.MinValue, short.MaxValue));
                return true;
            case Code.EVEX_Vpackuswb_zmm_k1z_zmm_zmmm512:
                Pack<short, byte>(left, right, target, static value => (byte)Math.Clamp(value, byte.MinValue, byte.MaxValue));
                return true;
            case Code.EVEX_Vpaddsw_zmm_k1z_zmm_zmmm512:
                Span<short> sums = MemoryMarshal.Cast<byte, short>(target);
                for (int i = 0; i < sums.Length; i++)
                    sums[i] = (short)Math.Clamp(BitConverter.ToInt16(left, 2 * i) + BitConverter.ToInt16(right, 2 * i), short.MinValue, short.MaxValue);
                return true;
            case Code.EVEX_Vpermd_zmm_k1z_zmm_zmmm512b32:
                for (int i = 0; i < VectorBytes; i += sizeof(int))
                    right.AsSpan(BitConverter.ToInt32(left, i) % Lanes * sizeof(int), sizeof(int)).CopyTo(target[i..]);
                return true;
            case Code.EVEX_Vpmaxub_zmm_k1z_zmm_zmmm512:
                for (int i = 0; i < VectorBytes; i++)
                    target[i] = Math.Max(left[i], right[i]);
                return true;
            default:
                return false;
        }
    }

    private Span<byte> Bytes(int vector) => MemoryMarshal.AsBytes(MemoryMarshal.CreateSpan(ref _vectors[vector, 0], Lanes));

    /// <summary>Within each 128 bits: the left elements, then the right ones, at half their width.</summary>
    private static void Pack<TFrom, TTo>(byte[] left, byte[] right, Span<byte> target, Func<TFrom, TTo> narrow)
        where TFrom : struct
        where TTo : struct
    {
        Span<TTo> packed = MemoryMarshal.Cast<byte, TTo>(target);
        int position = 0;
        for (int lane = 0; lane < VectorBytes; lane += LaneBytes)
        {
            foreach (byte[] source in (byte[][])[left, right])
            {
                foreach (TFrom value in MemoryMarshal.Cast<byte, TFrom>(source.AsSpan(lane, LaneBytes)))
                    packed[position++] = narrow(value);
            }
        }
    }
}
