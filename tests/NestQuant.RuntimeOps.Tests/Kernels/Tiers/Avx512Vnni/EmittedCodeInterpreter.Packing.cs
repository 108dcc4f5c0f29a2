using System.Runtime.InteropServices;
using Iced.Intel;

namespace NestQuant.RuntimeOps.Tests.Kernels.Tiers.Avx512Vnni;

/// <summary>What moves bytes between lanes, halves of registers and masked memory.</summary>
internal sealed unsafe partial class EmittedCodeInterpreter
{
    private const int HalfBytes = VectorBytes / 2;

    /// <summary>Executes one instruction if it is of this kind.</summary>
    private bool TryPack(in Instruction instruction) => TryMoveHalf(instruction) || TryShuffle(instruction);

    private bool TryMoveHalf(in Instruction instruction)
    {
        Span<byte> first = Bytes(instruction.Op0Register), second = Bytes(instruction.Op1Register);
        switch (instruction.Code)
        {
            case Code.EVEX_Vmovdqu32_ymm_k1z_ymmm256:
                Assert.False(instruction.HasOpMask);
                first.Clear();
                Memory(instruction, HalfBytes, isWrite: false).CopyTo(first);
                return true;
            case Code.EVEX_Vmovdqu8_ymm_k1z_ymmm256:
                Assert.True(instruction.HasOpMask && instruction.ZeroingMasking);
                first.Clear();
                MaskedCopy(instruction, 1, (byte*)Address(instruction), first, isWrite: false);
                return true;
            case Code.EVEX_Vmovdqu32_ymmm256_k1z_ymm:
                Assert.False(instruction.HasOpMask);
                second[..HalfBytes].CopyTo(Memory(instruction, HalfBytes, isWrite: true));
                return true;
            case Code.EVEX_Vmovdqu8_ymmm256_k1z_ymm:
                Assert.True(instruction.HasOpMask && !instruction.ZeroingMasking);
                MaskedCopy(instruction, 1, (byte*)Address(instruction), second[..HalfBytes], isWrite: true);
                return true;
            case Code.EVEX_Vmovdqu32_zmmm512_k1z_zmm when instruction.HasOpMask:
                Assert.False(instruction.ZeroingMasking);
                MaskedCopy(instruction, sizeof(int), (byte*)Address(instruction), second, isWrite: true);
                return true;
            case Code.EVEX_Vinserti64x4_zmm_k1z_zmm_ymmm256_imm8:
                Assert.True(instruction.Immediate8 == 1 && !instruction.HasOpMask);
                byte[] high = instruction.Op2Kind == OpKind.Memory
                    ? [.. Memory(instruction, HalfBytes, isWrite: false)]
                    : [.. Bytes(instruction.Op2Register)[..HalfBytes]];
                second[..HalfBytes].CopyTo(first);
                high.CopyTo(first[HalfBytes..]);
                return true;
            case Code.EVEX_Vextracti64x4_ymmm256_k1z_zmm_imm8:
                Assert.True(instruction.Immediate8 == 1 && !instruction.HasOpMask);
                byte[] upper = [.. second[HalfBytes..]];
                if (instruction.Op0Kind == OpKind.Memory)
                {
                    upper.CopyTo(Memory(instruction, HalfBytes, isWrite: true));
                    return true;
                }

                first.Clear();
                upper.CopyTo(first);
                return true;
            default:
                return false;
        }
    }

    private bool TryShuffle(in Instruction instruction)
    {
        byte[] left = [.. Bytes(instruction.Op1Register)], right = [.. Bytes(instruction.Op2Register)];
        int[] leftWords = [.. MemoryMarshal.Cast<byte, int>(left)], rightWords = [.. MemoryMarshal.Cast<byte, int>(right)];
        Span<byte> target = Bytes(instruction.Op0Register);
        Span<int> words = MemoryMarshal.Cast<byte, int>(target);
        Span<short> shorts = MemoryMarshal.Cast<byte, short>(target);
        switch (instruction.Code)
        {
            case Code.EVEX_Vpermd_zmm_k1z_zmm_zmmm512b32:
                for (int lane = 0; lane < Lanes; lane++)
                    words[lane] = rightWords[leftWords[lane] & 15];
                break;
            case Code.EVEX_Vpermt2d_zmm_k1z_zmm_zmmm512b32:
                int[] table = [.. words, .. rightWords];
                for (int lane = 0; lane < Lanes; lane++)
                    words[lane] = table[leftWords[lane] & 31];
                break;
            case Code.EVEX_Vpshufb_zmm_k1z_zmm_zmmm512:
                for (int i = 0; i < VectorBytes; i++)
                    target[i] = right[i] >= 128 ? (byte)0 : left[i / 16 * 16 + right[i] % 16];
                break;
            case Code.EVEX_Vpackssdw_zmm_k1z_zmm_zmmm512b32:
                for (int i = 0; i < shorts.Length; i++)
                    shorts[i] = (short)Math.Clamp((i % 8 < 4 ? leftWords : rightWords)[i / 8 * 4 + i % 4], short.MinValue, short.MaxValue);
                break;
            case Code.EVEX_Vpackuswb_zmm_k1z_zmm_zmmm512:
                for (int i = 0; i < VectorBytes; i++)
                    target[i] = (byte)Math.Clamp(Short(i % 16 < 8 ? left : right, i / 16 * 8 + i % 8), byte.MinValue, byte.MaxValue);
                break;
            case Code.EVEX_Vpaddsw_zmm_k1z_zmm_zmmm512:
                for (int i = 0; i < shorts.Length; i++)
                    shorts[i] = (short)Math.Clamp(Short(left, i) + Short(right, i), short.MinValue, short.MaxValue);
                break;
            case Code.EVEX_Vpminub_zmm_k1z_zmm_zmmm512:
                for (int i = 0; i < VectorBytes; i++)
                    target[i] = Math.Min(left[i], right[i]);
                break;
            case Code.EVEX_Vpmaxub_zmm_k1z_zmm_zmmm512:
                for (int i = 0; i < VectorBytes; i++)
                    target[i] = Math.Max(left[i], right[i]);
                break;
            default:
                return false;
        }

        Assert.False(instruction.HasOpMask || instruction.IsBroadcast || instruction.Op2Kind == OpKind.Memory);
        return true;
    }

    private static short Short(byte[] bytes, int index) => MemoryMarshal.Cast<byte, short>(bytes)[index];

    /// <summary>A vector register's bytes; nothing for other operands.</summary>
    private Span<byte> Bytes(Register register)
    {
        if (!register.IsVectorRegister())
            return [];
        return MemoryMarshal.AsBytes(MemoryMarshal.CreateSpan(ref _vectors[register.GetNumber(), 0], Lanes));
    }

    private Span<byte> Memory(in Instruction instruction, int length, bool isWrite) =>
        new(Checked(Address(instruction), length, isWrite), length);

    /// <summary>Copies the elements that the mask names, and touches no others in memory.</summary>
    private void MaskedCopy(in Instruction instruction, int elementBytes, byte* memory, Span<byte> register, bool isWrite)
    {
        ulong mask = _masks[instruction.OpMask.GetNumber()];
        int bytes = isWrite ? register.Length : HalfBytes;
        for (int element = 0; element < bytes / elementBytes; element++)
        {
            if ((mask >> element & 1) == 0)
                continue;
            Span<byte> place = new(Checked((ulong)(memory + element * elementBytes), elementBytes, isWrite), elementBytes);
            Span<byte> lane = register.Slice(element * elementBytes, elementBytes);
            if (isWrite)
                lane.CopyTo(place);
            else
                place.CopyTo(lane);
        }
    }
}
