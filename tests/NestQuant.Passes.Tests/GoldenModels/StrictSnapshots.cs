using System.Runtime.CompilerServices;

namespace NestQuant.Passes.Tests.GoldenModels;

/// <summary>
/// A missing snapshot fails a test instead of being made. To accept a change on purpose: delete the file and run the tests once with
/// the environment variable <c>SNAPSHOOTER_STRICT_MODE=off</c>.
/// </summary>
internal static class StrictSnapshots
{
    private const string Variable = "SNAPSHOOTER_STRICT_MODE";

    [ModuleInitializer]
    internal static void TurnOn()
    {
        if (Environment.GetEnvironmentVariable(Variable) is null) Environment.SetEnvironmentVariable(Variable, "on");
    }
}
