using System.Globalization;
using NestQuant.Compiler.Pipeline;

namespace NestQuant.Compiler.Reports;

/// <summary>
/// The columns that tables of nested weights have for their levels: full and part, high and low where every weight has two levels;
/// otherwise one for every level that a weight has.
/// </summary>
/// <param name="Decibels">SQNR of every level: the column's title, and its value; null where a weight has no such level.</param>
/// <param name="Bytes">Bytes of every operand, likewise.</param>
internal sealed record LevelColumns(
    IReadOnlyList<(string Title, Func<NestingNumbers, double?> Value)> Decibels,
    IReadOnlyList<(string Title, Func<NestingNumbers, long?> Value)> Bytes)
{
    /// <summary>The columns of a table.</summary>
    public static LevelColumns Of(IReadOnlyList<NestingNumbers> weights)
    {
        if (weights.All(static weight => weight.Levels.Count == 2))
            return new LevelColumns(
                [("full dB", static weight => weight.Levels[0].SqnrDb), ("part dB", static weight => weight.Levels[1].SqnrDb)],
                [("high", static weight => weight.HighBytes), ("low", static weight => weight.LowBytes)]);
        IEnumerable<int> levels = weights.SelectMany(static weight => weight.Levels).Select(static level => level.Bits);
        int[] bits = [.. levels.Distinct().OrderDescending()];
        return new LevelColumns(
            [.. bits.Select(level => (Text(level) + "-bit dB", (Func<NestingNumbers, double?>)(weight => Level(weight, level)?.SqnrDb)))],
            [
                ("high", static weight => weight.HighBytes),
                .. bits.Reverse().Skip(1)
                    .Select(level => ("low." + Text(level), (Func<NestingNumbers, long?>)(weight => Step(weight, level)))),
            ]);
    }

    private static LevelNumbers? Level(NestingNumbers weight, int bits) => weight.Levels.FirstOrDefault(level => level.Bits == bits);

    private static long? Step(NestingNumbers weight, int bits) =>
        Level(weight, bits) is { } level && level != weight.Levels[^1] ? level.Bytes : null;

    private static string Text(int bits) => bits.ToString(CultureInfo.InvariantCulture);
}
