using Iced.Intel;

namespace NestQuant.RuntimeOps.Tests.Kernels.Emission;

/// <summary>What a decoder that is not ours reads in emitted code.</summary>
internal static class Disassembly
{
    /// <summary>Decodes code to its last return: constants may follow.</summary>
    /// <param name="code">Code whose first byte is at address 0.</param>
    public static List<Instruction> Decode(byte[] code)
    {
        Decoder decoder = Decoder.Create(64, new ByteArrayCodeReader(code));
        List<Instruction> instructions = [];
        while (decoder.IP < (ulong)code.Length && instructions.LastOrDefault().Mnemonic != Mnemonic.Ret)
            instructions.Add(decoder.Decode());
        return instructions;
    }

    /// <summary>One line per instruction in the notation of NASM, numbers in decimal.</summary>
    public static string[] Print(byte[] code)
    {
        NasmFormatter formatter = new()
        {
            Options =
            {
                NumberBase = NumberBase.Decimal,
                BranchLeadingZeros = false,
                DisplacementLeadingZeros = false,
                SignedImmediateOperands = true,
            },
        };
        return [.. Decode(code).Select(instruction =>
        {
            StringOutput text = new();
            formatter.Format(instruction, text);
            return text.ToString();
        })];
    }
}
