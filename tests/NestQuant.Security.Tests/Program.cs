using System.Globalization;

namespace NestQuant.Security.Tests;

/// <summary>The child process of <see cref="HostileModelTests"/>: <c>FOLDER FILE SEED COUNT</c> mutates one file of a model again and again.</summary>
internal static class Program
{
    private static int Main(string[] args) => MutationRun.Execute(
        args[0],
        args[1],
        int.Parse(args[2], CultureInfo.InvariantCulture),
        int.Parse(args[3], CultureInfo.InvariantCulture));
}
