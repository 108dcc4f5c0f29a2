using NestQuant.TestSupport;

namespace NestQuant.Architecture.Tests;

public class TextTests
{
    private const int LongestLine = 140;
    private const int LongestFile = 400;

    [Theory]
    [InlineData("*.cs")]
    [InlineData("*.md")]
    public void Lines_are_at_most_140_wide(string pattern)
    {
        string[] files = [.. SourceFiles.Of(pattern)];
        Assert.NotEmpty(files);
        Assert.Empty(files.SelectMany(file => File.ReadLines(file)
            .Select((line, index) => (Line: line, Number: index + 1))
            .Where(line => line.Line.Length > LongestLine && !IsTableRow(line.Line))
            .Select(line => $"{Path.GetRelativePath(Checkout.Root, file)}:{line.Number}")));
    }

    [Fact]
    public void Files_are_at_most_400_lines_long() =>
        Assert.Empty(SourceFiles.Of("*.cs")
            .Where(file => File.ReadLines(file).Count() > LongestFile)
            .Select(file => Path.GetRelativePath(Checkout.Root, file)));

    // ReadyToRun leaves methods of AggressiveOptimization out: a loop that has it is compiled when a process first runs a model.
    [Fact]
    public void Loops_of_the_operators_are_compiled_ahead_of_time_but_those_of_vectors_of_any_width()
    {
        string operators = Path.Combine(Checkout.Root, "runtime-ops") + Path.DirectorySeparatorChar;
        string[] users =
        [
            .. SourceFiles.Of("*.cs")
                .Where(file => file.StartsWith(operators, StringComparison.Ordinal))
                .Where(file => File.ReadAllText(file).Contains("MethodImplOptions.AggressiveOptimization", StringComparison.Ordinal))
                .Select(file => Path.GetFileName(file))
        ];
        Assert.Equal(
            ["FloatKernelOf.cs", "FloatRows.cs", "FloatTaps.cs", "FloatTiles.cs", "MethodCompilation.cs"],
            users.Order(StringComparer.Ordinal));
    }

    // A table of Markdown has no line breaks in its rows.
    private static bool IsTableRow(string line) => line.TrimStart().StartsWith('|');
}
