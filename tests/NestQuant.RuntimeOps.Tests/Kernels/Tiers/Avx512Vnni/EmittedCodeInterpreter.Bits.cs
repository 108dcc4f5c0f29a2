using Iced.Intel;

namespace NestQuant.RuntimeOps.Tests.Kernels.Tiers.Avx512Vnni;

/// <summary>The instructions that shift, mask and test bits of bytes.</summary>
internal sealed unsafe partial class EmittedCodeInterpreter
{
    /// <summary>Executes one instruction if it is of this kind.</summary>
    private bool TryBits(in Instruction instruction)
    {
        Span<byte> target = Bytes(instruction.Op0Register);
        byte[] left = [.. Bytes(instruction.Op1Register)], right = [.. Bytes(instruction.Op2Register)];
        switch (instruction.Code)
        {
            case Code.EVEX_Vpandd_zmm_k1z_zmm_zmmm512b32:
                for (int i = 0; i < VectorBytes; i++)
                    target[i] = (byte)(left[i] & right[i]);
                return true;
            case Code.EVEX_Vpandnd_zmm_k1z_zmm_zmmm512b32:
                for (int i = 0; i < VectorBytes; i++)
                    target[i] = (byte)(~left[i] & right[i]);
                return true;
            case Code.EVEX_Vpternlogd_zmm_k1z_zmm_zmmm512b32_imm8:
                for (int i = 0; i < 8 * VectorBytes; i++)
                {
                    // The table is indexed by the bits of the target and of both sources.
                    int bit = i % 8, row = Bit(target[i / 8], bit) << 2 | Bit(left[i / 8], bit) << 1 | Bit(right[i / 8], bit);
                    target[i / 8] = (byte)(target[i / 8] & ~(1 << bit) | Bit(instruction.Immediate8, row) << bit);
                }

                return true;
            case Code.EVEX_Vpsrlw_zmm_k1z_zmmm512_imm8:
            case Code.EVEX_Vpsllw_zmm_k1z_zmmm512_imm8:
                bool isRight = instruction.Mnemonic == Mnemonic.Vpsrlw;
                for (int i = 0; i < VectorBytes; i += sizeof(ushort))
                {
                    ushort value = BitConverter.ToUInt16(left, i);
                    BitConverter.TryWriteBytes(
                        target[i..], (ushort)(isRight ? value >> instruction.Immediate8 : value << instruction.Immediate8));
                }

                return true;
            case Code.EVEX_Vpaddb_zmm_k1z_zmm_zmmm512:
            case Code.EVEX_Vpsubb_zmm_k1z_zmm_zmmm512:
                Assert.False(instruction.ZeroingMasking);
                for (int i = 0; i < VectorBytes; i++)
                {
                    if (!instruction.HasOpMask || (_masks[instruction.OpMask.GetNumber()] >> i & 1) != 0)
                        target[i] = (byte)(instruction.Mnemonic == Mnemonic.Vpaddb ? left[i] + right[i] : left[i] - right[i]);
                }

                return true;
            case Code.EVEX_Vptestnmb_kr_k1_zmm_zmmm512:
                ulong mask = 0;
                for (int i = 0; i < VectorBytes; i++)
                    mask |= (left[i] & right[i]) == 0 ? 1UL << i : 0;
                _masks[instruction.Op0Register.GetNumber()] = mask;
                return true;
            case Code.EVEX_Vbroadcasti64x4_zmm_k1z_m256:
                Memory(instruction, HalfBytes, isWrite: false).CopyTo(target);
                Memory(instruction, HalfBytes, isWrite: false).CopyTo(target[HalfBytes..]);
                return true;
            default:
                return false;
        }
    }

    private static int Bit(int value, int bit) => value >> bit & 1;
}
