using CsCheck;
using NestQuant.Compiler.Cli.Rendering;
using NestQuant.Compiler.Cli.Terminal;

namespace NestQuant.Compiler.Cli.Tests;

public sealed class TableTests : IDisposable
{
    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Inspect_fits_80_columns_without_breaking_words()
    {
        string[] lines = TableOf(Tool.RunAt(80, "inspect", Tool.CompileCnn(_folder)));
        Assert.Contains(lines, line => line.Contains("8:6", StringComparison.Ordinal));
        Assert.All(lines, line => Assert.InRange(line.Length, 0, 80));
    }

    [Fact]
    public void Corruptions_show_their_names_and_severities_in_80_columns()
    {
        string model = Tool.CompileCnn(_folder);
        ToolRun run = Tool.RunAt(
            80, "evaluate", model, "--data", Golden.Images, "--labels", Golden.Labels, "--corrupt", "gaussian_noise:1-2", "--bits", "8,6");
        string[] lines = TableOf(run);
        Assert.Contains(lines, line => line.StartsWith("gaussian_noise  2 ", StringComparison.Ordinal));
        Assert.All(lines, line => Assert.InRange(line.Length, 0, 80));
    }

    [Fact]
    public void Compile_fits_80_columns()
    {
        ToolRun run = Tool.RunAt(80, "compile", Golden.Cnn, "-o", _folder["a.onnx"], "--nest", "8:6");
        Assert.All(TableOf(run), line => Assert.InRange(line.Length, 0, 80));
    }

    [Fact]
    public void No_line_ends_in_blanks() =>
        Assert.All(TableOf(Tool.Run("inspect", Tool.CompileCnn(_folder))), line => Assert.Equal(line.TrimEnd(), line));

    [Fact]
    public void Every_number_is_whole_and_every_line_fits_where_the_numbers_do() =>
        Gen.Select(Names, Gen.Int[0, 1000000], Gen.Int[40, 100]).Sample((names, number, width) =>
        {
            using var output = new StringWriter { NewLine = "\n" };
            PlainTable table = new PlainTable().Text("name").Number("many words").Text("reason", rank: 1, keepsStart: true);
            foreach (string name in names)
                table.Row(name, $"{number}", $"kept: {name}");
            table.Write(new CliConsole(output, TextWriter.Null) { Width = width });

            string[] lines = output.ToString().TrimEnd('\n').Split('\n');
            Assert.All(lines, line => Assert.InRange(line.Length, 0, width));
            Assert.All(lines[3..], line => Assert.Contains($"{number}", line, StringComparison.Ordinal));
            Assert.Equal(names.Length, lines.Length - 3);
        });

    private static Gen<string[]> Names => Gen.String[Gen.Char['a', 'z'], 0, 60].Array[1, 5];

    private static string[] TableOf(ToolRun run) =>
        [.. run.ShouldSucceed().Out.Split('\n').Where(line => line.Contains("  ", StringComparison.Ordinal))];
}
