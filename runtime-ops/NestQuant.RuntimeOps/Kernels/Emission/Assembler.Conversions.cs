namespace NestQuant.RuntimeOps.Kernels.Emission;

/// <summary>The instructions of epilogues: conversions and float arithmetic on sixteen 32-bit lanes.</summary>
internal sealed partial class Assembler
{
    /// <summary>vcvtdq2ps target, source: sixteen floats nearest to the integers.</summary>
    public void ConvertToSingle(Zmm target, Zmm source) => Encode(Single512, 0x5B, target, default, source);

    /// <summary>vcvtps2dq target, source: sixteen integers, halves to even; values out of range become the least integer.</summary>
    public void ConvertToInt32(Zmm target, Zmm source) => Encode(Int512, 0x5B, target, default, source);

    /// <summary>vmulps target, left, right.</summary>
    public void MultiplySingle(Zmm target, Zmm left, Zmm right) => Encode(Single512, 0x59, target, left, right);

    /// <summary>vmulps target, left, [right].</summary>
    public void MultiplySingle(Zmm target, Zmm left, in MemoryOperand right) => Encode(Single512, 0x59, target, left, right, Whole);

    /// <summary>vaddps target, left, right.</summary>
    public void AddSingle(Zmm target, Zmm left, Zmm right) => Encode(Single512, 0x58, target, left, right);

    /// <summary>vaddps target, left, [right].</summary>
    public void AddSingle(Zmm target, Zmm left, in MemoryOperand right) => Encode(Single512, 0x58, target, left, right, Whole);
}
