using System.Globalization;

namespace NestQuant.Security.Tests.Fuzzing;

/// <summary>What a run of the fuzz command is to do.</summary>
/// <param name="Duration">How long it makes mutants.</param>
/// <param name="Seed">Seed of the first mutant; the next has the next seed.</param>
/// <param name="Count">Most mutants; 0 for as many as the time allows.</param>
/// <param name="Keep">Folder for mutants that failed; null for none.</param>
internal sealed record FuzzOptions(TimeSpan Duration, ulong Seed, int Count, string? Keep)
{
    public const string Usage = "usage: fuzz [--minutes N] [--seed S] [--count N] [--keep DIR]";

    private static readonly CultureInfo s_numbers = CultureInfo.InvariantCulture;

    /// <summary>Parses a command line; null when it is wrong.</summary>
    public static FuzzOptions? Parse(ReadOnlySpan<string> args)
    {
        var options = new FuzzOptions(TimeSpan.FromMinutes(1), Seed: 1, Count: 0, Keep: null);
        for (; args.Length >= 2; args = args[2..])
        {
            FuzzOptions? next = args[0] switch
            {
                "--minutes" when double.TryParse(args[1], NumberStyles.Float, s_numbers, out double minutes) && minutes > 0 =>
                    options with { Duration = TimeSpan.FromMinutes(minutes) },
                "--seed" when ulong.TryParse(args[1], s_numbers, out ulong seed) => options with { Seed = seed },
                "--count" when int.TryParse(args[1], s_numbers, out int count) && count > 0 => options with { Count = count },
                "--keep" => options with { Keep = args[1] },
                _ => null,
            };
            if (next is null) return null;
            options = next;
        }

        return args.IsEmpty ? options : null;
    }
}
