namespace NestQuant.RuntimeOps.Kernels.Emission;

/// <summary>The 64-bit general-purpose registers, by their number in an instruction.</summary>
internal enum Register
{
    Rax,
    Rcx,
    Rdx,
    Rbx,
    Rsp,
    Rbp,
    Rsi,
    Rdi,
    R8,
    R9,
    R10,
    R11,
    R12,
    R13,
    R14,
    R15,
}
