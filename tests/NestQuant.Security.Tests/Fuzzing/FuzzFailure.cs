namespace NestQuant.Security.Tests.Fuzzing;

/// <summary>What went wrong for one mutant, and for all for which the same went wrong in the same place.</summary>
/// <param name="Kind">What went wrong.</param>
/// <param name="Step">In which command or session.</param>
/// <param name="Detail">Where.</param>
/// <param name="Seed">The first mutant.</param>
/// <param name="Command">What was run on it.</param>
internal sealed record FuzzFailure(string Kind, string Step, string Detail, ulong Seed, string Command)
{
    /// <inheritdoc/>
    public override string ToString() => $"{Kind} in {Step}: {Detail}";
}
