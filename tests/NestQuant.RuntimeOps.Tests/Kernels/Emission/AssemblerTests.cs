using NestQuant.RuntimeOps.Kernels.Emission;
using NestQuant.RuntimeOps.Kernels.Tiers.Avx2;

namespace NestQuant.RuntimeOps.Tests.Kernels.Emission;

public class AssemblerTests
{
    private static readonly Register[] Registers = Enum.GetValues<Register>();

    [Fact]
    public void Arithmetic_decodes_as_written()
    {
        foreach (Register register in Registers)
        {
            string name = Name(register);
            Decodes(a => a.Add(register, 127), $"add {name},127");
            Decodes(a => a.Add(register, 128), $"add {name},128");
            Decodes(a => a.Subtract(register, -128), $"sub {name},-128");
            Decodes(a => a.Subtract(register, 1 << 20), $"sub {name},1048576");
            Decodes(a => a.ShiftLeft(register, 32), $"shl {name},32");
            Decodes(a => a.Clear(register), $"xor {Name32(register)},{Name32(register)}");
            foreach (Register source in Registers)
                Decodes(a => a.Or(register, source), $"or {name},{Name(source)}");
        }
    }

    [Fact]
    public void Instructions_without_operands_decode_as_written()
    {
        Decodes(a => a.Return(), "ret");
        Decodes(a => a.ZeroUpper(), "vzeroupper");
        Decodes(a => a.GetExtendedControlRegister(), "xgetbv");
        Decodes(a => a.ReleaseTiles(), "tilerelease");
    }

    [Fact]
    public void Every_address_decodes_as_written()
    {
        foreach (MemoryOperand operand in Operands())
        {
            string address = Print(operand);
            Decodes(a => a.LoadAddress(Register.R13, operand), $"lea r13,{address}");
            Decodes(a => a.Prefetch(operand), $"prefetcht0 {address}");
            Decodes(a => a.Load16(new MaskRegister(3), operand), $"kmovw k3,{address}");
            Decodes(a => a.Load32(new MaskRegister(6), operand), $"kmovd k6,{address}");
            Decodes(a => a.BroadcastHalf(new Zmm(19), operand), $"vbroadcasti64x4 zmm19,{address}");
            Decodes(a => a.Load(new Zmm(17), operand), $"vmovdqu32 zmm17,{address}");
            Decodes(a => a.Xor(new Zmm(17), new Zmm(29), operand), $"vpxord zmm17,zmm29,{address}");
            Decodes(a => a.Store(operand, new Zmm(9)), $"vmovdqu32 {address},zmm9");
            Decodes(a => a.BroadcastInt32(new Zmm(30), operand), $"vpbroadcastd zmm30,{address}");
        }
    }

    [Fact]
    public void Every_vector_register_decodes_as_written()
    {
        int[] others = [0, 7, 8, 15, 16, 23, 24, 31];
        for (int number = 0; number < 32; number++)
        {
            Zmm target = new(number);
            Decodes(a => a.Load(target, new MemoryOperand(Register.Rdx)), $"vmovdqu32 zmm{number},[rdx]");
            Decodes(a => a.Store(new MemoryOperand(Register.R8), target), $"vmovdqu32 [r8],zmm{number}");
            Decodes(a => a.BroadcastInt32(target, new MemoryOperand(Register.Rdi)), $"vpbroadcastd zmm{number},[rdi]");
            foreach (int left in others)
            {
                foreach (int right in others)
                {
                    Decodes(a => a.Xor(target, new Zmm(left), new Zmm(right)), $"vpxord zmm{number},zmm{left},zmm{right}");
                    Decodes(a => a.AddInt32(target, new Zmm(left), new Zmm(right)), $"vpaddd zmm{number},zmm{left},zmm{right}");
                    Decodes(a => a.DotProduct(target, new Zmm(left), new Zmm(right)), $"vpdpbusd zmm{number},zmm{left},zmm{right}");
                    Decodes(
                        a => a.DotProductInt16(target, new Zmm(left), new Zmm(right)), $"vpdpwssd zmm{number},zmm{left},zmm{right}");
                }
            }
        }
    }

    [Fact]
    public void Every_operation_on_vectors_decodes_as_written()
    {
        Zmm target = new(17), left = new(2), right = new(30);
        Decodes(a => a.And(target, left, right), "vpandd zmm17,zmm2,zmm30");
        Decodes(a => a.OrAnd(target, left, right), "vpternlogd zmm17,zmm2,zmm30,-8");
        Decodes(a => a.AndNot(target, left, right), "vpandnd zmm17,zmm2,zmm30");
        Decodes(a => a.Replace(target, left, right), "vpternlogd zmm17,zmm2,zmm30,-40");
        Decodes(a => a.ShiftRightInt16(target, right, 3), "vpsrlw zmm17,zmm30,3");
        Decodes(a => a.ShiftLeftInt16(target, right, 5), "vpsllw zmm17,zmm30,5");
        Decodes(a => a.AddInt8(target, left, right), "vpaddb zmm17,zmm2,zmm30");
        Decodes(a => a.AddInt8(target, left, right, new MaskRegister(4)), "vpaddb zmm17{k4},zmm2,zmm30");
        Decodes(a => a.SubtractInt8(target, left, right), "vpsubb zmm17,zmm2,zmm30");
        Decodes(a => a.SubtractInt8(target, left, right, new MaskRegister(4)), "vpsubb zmm17{k4},zmm2,zmm30");
        Decodes(a => a.TestZeroInt8(new MaskRegister(5), left, right), "vptestnmb k5,zmm2,zmm30");
    }

    [Fact]
    public void Tiles_decode_as_written()
    {
        foreach (Register register in Registers.Where(static r => r != Register.Rsp))
        {
            MemoryOperand rows = new(register, 64) { Index = Register.R10 };
            Decodes(a => a.LoadTileConfiguration(register), $"ldtilecfg {Print(new MemoryOperand(register))}");
            for (int tile = 0; tile < 8; tile++)
            {
                Decodes(a => a.Load(new Tmm(tile), rows), $"tileloadd tmm{tile},{Print(rows)}");
                Decodes(a => a.Store(rows, new Tmm(tile)), $"tilestored {Print(rows)},tmm{tile}");
                Decodes(
                    a => a.DotProduct(new Tmm(tile), new Tmm(7 - tile), new Tmm((tile + 2) % 8)),
                    $"tdpbusd tmm{tile},tmm{7 - tile},tmm{(tile + 2) % 8}");
            }
        }
    }

    [Fact]
    public void A_constant_lies_aligned_behind_the_code()
    {
        byte[] value = [.. Enumerable.Range(0, 64).Select(static i => (byte)i)];
        Assembler code = new();
        code.LoadConstant(new Zmm(21), value);
        code.Return();
        byte[] bytes = code.ToCode();
        Assert.Equal(value, bytes[64..]);
        Assert.Equal(["vmovdqu32 zmm21,[rel 64]", "ret"], Disassembly.Print(bytes));
    }

    [Fact]
    public void Short_displacements_take_one_byte()
    {
        // prefix 4, opcode 1, ModRM 1, displacement 1.
        Assert.Equal(7, Assemble(a => a.Load(new Zmm(0), new MemoryOperand(Register.Rdx, 127 * 64))).Length);
        Assert.Equal(10, Assemble(a => a.Load(new Zmm(0), new MemoryOperand(Register.Rdx, 128 * 64))).Length);
        Assert.Equal(10, Assemble(a => a.Load(new Zmm(0), new MemoryOperand(Register.Rdx, 4))).Length);
        Assert.Equal(7, Assemble(a => a.BroadcastInt32(new Zmm(0), new MemoryOperand(Register.Rdx, 4))).Length);
    }

    [Fact]
    public void Jumps_lead_to_their_labels_in_both_directions()
    {
        Assembler code = new();
        Label begin = new();
        Label end = new();
        code.Bind(begin);
        code.Jump(Condition.Zero, end);
        code.Jump(Condition.NotZero, begin);
        code.Jump(Condition.Less, end);
        code.Jump(Condition.GreaterOrEqual, begin);
        code.Bind(end);
        code.Return();
        Assert.Equal(["je near 24", "jne near 0", "jl near 24", "jge near 0", "ret"], Disassembly.Print(code.ToCode()));
    }

    [Fact]
    public void A_jump_to_nowhere_is_refused()
    {
        Assembler code = new();
        code.Jump(Condition.Zero, new Label());
        Assert.Contains("never bound", Assert.Throws<InvalidOperationException>(code.ToCode).Message, StringComparison.Ordinal);
    }

    private static IEnumerable<MemoryOperand> Operands() =>
        from register in Registers
        from index in Registers.Select(r => (Register?)r).Append(null)
        where index != Register.Rsp
        from scale in index is null ? [1] : new[] { 1, 2, 4, 8 }
        from displacement in new[] { 0, 4, -64, 64 * 127, 64 * 128, 1 << 24 }
        select new MemoryOperand(register, displacement) { Index = index, Scale = scale };

    private static string Print(in MemoryOperand operand)
    {
        string index = operand.Index is { } register ? $"+{Name(register)}{(operand.Scale == 1 ? "" : $"*{operand.Scale}")}" : "";
        string displacement = operand.Displacement == 0
            ? ""
            : operand.Displacement.ToString("+0;-0", System.Globalization.CultureInfo.InvariantCulture);
        return $"[{Name(operand.Base)}{index}{displacement}]";
    }

    private static string Name(Register register) => register.ToString().ToLowerInvariant();

    private static string Name32(Register register) => register < Register.R8 ? $"e{Name(register)[1..]}" : $"{Name(register)}d";

    private static byte[] Assemble(Action<Assembler> emit)
    {
        Assembler assembler = new();
        emit(assembler);
        return assembler.ToCode();
    }

    private static void Decodes(Action<Assembler> emit, string expected) => Assert.Equal([expected], Disassembly.Print(Assemble(emit)));
}
