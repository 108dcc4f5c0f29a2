using NestQuant.RuntimeOps.Kernels.Emission;

namespace NestQuant.RuntimeOps.Kernels.Tiers.Avx512Vnni;

/// <summary>The registers of an epilogue's code, which also uses mask registers 1 and 2.</summary>
/// <param name="Arguments">Points to the <see cref="EpilogueArguments"/>.</param>
/// <param name="Tile">Points to the next accumulators.</param>
/// <param name="Rows">Rows that are left.</param>
/// <param name="Factors">Points to the <see cref="PanelEpilogue"/>.</param>
/// <param name="Output">Points to the next output.</param>
/// <param name="OutputStride">Bytes from one row of the output to the next.</param>
/// <param name="FirstResult">The first of four registers of results.</param>
/// <param name="FirstConstant">The first of eight registers that keep constants; null to read them from memory each time.</param>
internal sealed record EpilogueRegisters(
    Register Arguments,
    Register Tile,
    Register Rows,
    Register Factors,
    Register Output,
    Register OutputStride,
    int FirstResult,
    int? FirstConstant);
