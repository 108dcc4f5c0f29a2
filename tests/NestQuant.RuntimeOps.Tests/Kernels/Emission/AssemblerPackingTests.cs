using NestQuant.RuntimeOps.Kernels.Emission;

namespace NestQuant.RuntimeOps.Tests.Kernels.Emission;

/// <summary>Conversions, moves of halves and bytes, and masks.</summary>
public class AssemblerPackingTests
{
    private static readonly int[] Vectors = [0, 7, 8, 15, 16, 23, 24, 31];

    private static readonly MemoryOperand[] Operands =
    [
        new(Register.Rax), new(Register.R13, 32), new(Register.Rsp, 64) { Index = Register.R12, Scale = 4 },
        new(Register.Rbp, -4096) { Index = Register.Rdx },
        new(Register.R8, 7) { Index = Register.R9, Scale = 8 },
    ];

    [Fact]
    public void Moves_decode_as_written()
    {
        foreach (Register register in Enum.GetValues<Register>())
        {
            string name = register.ToString().ToLowerInvariant();
            foreach (MemoryOperand operand in Operands)
            {
                Decodes(a => a.Load(register, operand), $"mov {name},{Print(operand)}");
                Decodes(a => a.Store(operand, register), $"mov {Print(operand)},{name}");
                Decodes(a => a.Add(register, operand), $"add {name},{Print(operand)}");
                Decodes(a => a.Compare(register, operand), $"cmp {name},{Print(operand)}");
            }
        }

        for (int mask = 1; mask < 8; mask++)
        {
            foreach (MemoryOperand operand in Operands)
                Decodes(a => a.Load64(new MaskRegister(mask), operand), $"kmovq k{mask},{Print(operand)}");
        }
    }

    [Fact]
    public void Operations_on_registers_decode_as_written()
    {
        foreach (int target in Vectors)
        {
            foreach (int left in Vectors)
            {
                Zmm t = new(target), l = new(left);
                Decodes(a => a.Copy(t, l), $"vmovdqa32 zmm{target},zmm{left}");
                Decodes(a => a.ConvertToSingle(t, l), $"vcvtdq2ps zmm{target},zmm{left}");
                Decodes(a => a.ConvertToInt32(t, l), $"vcvtps2dq zmm{target},zmm{left}");
                Decodes(a => a.ExtractHigh(t, l), $"vextracti64x4 ymm{target},zmm{left},1");
                foreach (int right in Vectors)
                {
                    Zmm r = new(right);
                    string operands = $"zmm{target},zmm{left},zmm{right}";
                    Decodes(a => a.SubtractInt32(t, l, r), $"vpsubd {operands}");
                    Decodes(a => a.MultiplySingle(t, l, r), $"vmulps {operands}");
                    Decodes(a => a.AddSingle(t, l, r), $"vaddps {operands}");
                    Decodes(a => a.PermuteInt32(t, l, r), $"vpermd {operands}");
                    Decodes(a => a.SelectInt32(t, l, r), $"vpermt2d {operands}");
                    Decodes(a => a.ShuffleBytes(t, l, r), $"vpshufb {operands}");
                    Decodes(a => a.PackInt32(t, l, r), $"vpackssdw {operands}");
                    Decodes(a => a.PackInt16(t, l, r), $"vpackuswb {operands}");
                    Decodes(a => a.AddInt16(t, l, r), $"vpaddsw {operands}");
                    Decodes(a => a.MinUInt8(t, l, r), $"vpminub {operands}");
                    Decodes(a => a.MaxUInt8(t, l, r), $"vpmaxub {operands}");
                    Decodes(a => a.InsertHigh(t, l, r), $"vinserti64x4 zmm{target},zmm{left},ymm{right},1");
                }
            }
        }
    }

    [Fact]
    public void Operations_on_memory_decode_as_written()
    {
        foreach (MemoryOperand operand in Operands)
        {
            string address = Print(operand);
            foreach (int vector in Vectors)
            {
                Zmm v = new(vector);
                Decodes(a => a.MultiplySingle(v, new Zmm(9), operand), $"vmulps zmm{vector},zmm9,{address}");
                Decodes(a => a.AddSingle(v, new Zmm(9), operand), $"vaddps zmm{vector},zmm9,{address}");
                Decodes(a => a.LoadHalf(v, operand), $"vmovdqu32 ymm{vector},{address}");
                Decodes(a => a.StoreHalf(operand, v), $"vmovdqu32 {address},ymm{vector}");
                Decodes(a => a.ExtractHigh(operand, v), $"vextracti64x4 {address},zmm{vector},1");
                Decodes(a => a.InsertHigh(v, new Zmm(9), operand), $"vinserti64x4 zmm{vector},zmm9,{address},1");
                for (int mask = 1; mask < 8; mask++)
                {
                    MaskRegister k = new(mask);
                    Decodes(a => a.LoadHalf(v, k, operand), $"vmovdqu8 ymm{vector}{{k{mask}}}{{z}},{address}");
                    Decodes(a => a.StoreHalf(operand, k, v), $"vmovdqu8 {address}{{k{mask}}},ymm{vector}");
                    Decodes(a => a.Store(operand, k, v), $"vmovdqu32 {address}{{k{mask}}},zmm{vector}");
                }
            }
        }
    }

    private static string Print(in MemoryOperand operand)
    {
        string index = operand.Index is { } register ? $"+{Name(register)}{(operand.Scale == 1 ? "" : $"*{operand.Scale}")}" : "";
        string displacement = operand.Displacement == 0
            ? ""
            : operand.Displacement.ToString("+0;-0", System.Globalization.CultureInfo.InvariantCulture);
        return $"[{Name(operand.Base)}{index}{displacement}]";
    }

    private static string Name(Register register) => register.ToString().ToLowerInvariant();

    private static void Decodes(Action<Assembler> emit, string expected)
    {
        Assembler assembler = new();
        emit(assembler);
        Assert.Equal([expected], Disassembly.Print(assembler.ToCode()));
    }
}
