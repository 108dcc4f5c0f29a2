using Iced.Intel;

namespace NestQuant.RuntimeOps.Tests.Kernels.Avx512Vnni;

/// <summary>The instructions of the epilogue: floats, masks and masked stores.</summary>
internal sealed unsafe partial class EmittedCodeInterpreter
{
    private readonly ulong[] _masks = new ulong[8];

    /// <summary>Executes an instruction of the epilogue.</summary>
    /// <returns>Whether it is one.</returns>
    private bool StepEpilogue(in Instruction instruction)
    {
        int target = instruction.Op0Register.GetNumber();
        switch (instruction.Code)
        {
            case Code.VEX_Kmovw_kr_km16:
                _masks[target] = *(ushort*)Checked(Address(instruction), sizeof(ushort), isWrite: false);
                return true;
            case Code.VEX_Kmovd_kr_km32:
                _masks[target] = *(uint*)Checked(Address(instruction), sizeof(uint), isWrite: false);
                return true;
            case Code.EVEX_Vcvtdq2ps_zmm_k1z_zmmm512b32_er:
                Convert(instruction, static lane => BitConverter.SingleToInt32Bits((float)lane));
                return true;
            case Code.EVEX_Vcvtps2dq_zmm_k1z_zmmm512b32_er:
                Convert(instruction, static lane => ToInt32(BitConverter.Int32BitsToSingle(lane)));
                return true;
            case Code.EVEX_Vmulps_zmm_k1z_zmm_zmmm512b32_er:
                Combine(instruction, static (left, right) => left * right);
                return true;
            case Code.EVEX_Vaddps_zmm_k1z_zmm_zmmm512b32_er:
                Combine(instruction, static (left, right) => left + right);
                return true;
            case Code.EVEX_Vminps_zmm_k1z_zmm_zmmm512b32_sae:
                Combine(instruction, static (left, right) => left < right ? left : right);
                return true;
            case Code.EVEX_Vmovdqu8_ymmm256_k1z_ymm:
                StoreMasked(instruction, VectorBytes / 2, sizeof(byte));
                return true;
            case Code.EVEX_Vmovdqu32_zmmm512_k1z_zmm when instruction.HasOpMask:
                StoreMasked(instruction, VectorBytes, sizeof(int));
                return true;
            default:
                return false;
        }
    }

    private void Convert(in Instruction instruction, Func<int, int> convert)
    {
        Assert.False(instruction.HasOpMask || instruction.IsBroadcast);
        for (int lane = 0; lane < Lanes; lane++)
            _vectors[instruction.Op0Register.GetNumber(), lane] = convert(_vectors[instruction.Op1Register.GetNumber(), lane]);
    }

    private void Combine(in Instruction instruction, Func<float, float, float> combine)
    {
        Assert.False(instruction.HasOpMask || instruction.IsBroadcast);
        for (int lane = 0; lane < Lanes; lane++)
        {
            float left = BitConverter.Int32BitsToSingle(_vectors[instruction.Op1Register.GetNumber(), lane]);
            float right = BitConverter.Int32BitsToSingle(_vectors[instruction.Op2Register.GetNumber(), lane]);
            _vectors[instruction.Op0Register.GetNumber(), lane] = BitConverter.SingleToInt32Bits(combine(left, right));
        }
    }

    /// <summary>Stores the elements whose bit is set; memory of the others is not touched.</summary>
    private void StoreMasked(in Instruction instruction, int bytes, int elementBytes)
    {
        ReadOnlySpan<byte> source = Bytes(instruction.Op1Register.GetNumber());
        for (int i = 0; i < bytes; i += elementBytes)
        {
            if ((_masks[instruction.OpMask.GetNumber()] >> (i / elementBytes) & 1) == 0)
                continue;
            byte* target = (byte*)Checked(Address(instruction) + (ulong)i, elementBytes, isWrite: true);
            source.Slice(i, elementBytes).CopyTo(new Span<byte>(target, elementBytes));
        }
    }

    /// <summary>Halves to even; what does not fit is the least integer.</summary>
    private static int ToInt32(float value)
    {
        float rounded = MathF.Round(value);
        return rounded is >= int.MinValue and < 2147483648f ? (int)rounded : int.MinValue;
    }
}
