using NestQuant.RuntimeOps.Kernels.Emission;
using NestQuant.RuntimeOps.Kernels.Tiers.Avx2;

namespace NestQuant.RuntimeOps.Kernels.Tiers.Avx512Vnni;

/// <summary>
/// Emits the epilogue of a tile (<see cref="EpilogueRows"/>) as a C function, in the calling convention of System V,
/// <c>void(EpilogueArguments*)</c>.
/// </summary>
internal static class EpilogueEmitter
{
    private static readonly EpilogueRegisters Registers = new(
        Arguments: Register.Rdi,
        Tile: Register.Rsi,
        Rows: Register.Rdx,
        Factors: Register.Rcx,
        Output: Register.R8,
        OutputStride: Register.R9,
        FirstResult: 0,
        FirstConstant: 16);

    /// <summary>Emits the epilogue.</summary>
    /// <param name="form">What it has to do.</param>
    public static byte[] Emit(EpilogueForm form)
    {
        Assembler code = new();
        EpilogueRows rows = new(code, form, Registers);
        rows.Begin();
        rows.WriteAll();
        code.ZeroUpper();
        code.Return();
        return code.ToCode();
    }
}
