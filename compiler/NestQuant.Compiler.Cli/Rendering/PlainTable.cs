using NestQuant.Compiler.Cli.Terminal;
using NestQuant.Onnx;
using Spectre.Console;

namespace NestQuant.Compiler.Cli.Rendering;

/// <summary>
/// A table of plain cells on one line each: texts read from the left, numbers from the right, lines without trailing blanks. Where a
/// terminal is too narrow, columns that say least are left out first, then long texts are cut.
/// </summary>
internal sealed class PlainTable
{
    private const string Gap = "  ";
    private const string Cut = "…";
    private const int LeastText = 12;

    private readonly List<Column> _columns = [];
    private readonly List<string[]> _rows = [];

    /// <summary>Adds a column of text.</summary>
    /// <param name="title">Its title, which is broken at blanks.</param>
    /// <param name="rank">Columns of the highest rank are left out first; those of rank 0 never are.</param>
    /// <param name="keepsStart">Whether a cell that is too long keeps its start, as a sentence, or its end, as a name.</param>
    public PlainTable Text(string title, int rank = 0, bool keepsStart = false) =>
        Add(new Column(title, IsNumber: false, rank, keepsStart));

    /// <summary>Adds a column of numbers.</summary>
    /// <param name="title">Its title, which is broken at blanks.</param>
    /// <param name="rank">Columns of the highest rank are left out first; those of rank 0 never are.</param>
    public PlainTable Number(string title, int rank = 0) => Add(new Column(title, IsNumber: true, rank, KeepsStart: false));

    /// <summary>Adds a row of as many cells as there are columns; texts, that may come from a model, are escaped and cut.</summary>
    public void Row(params string[] cells) => _rows.Add([.. cells.Select(DisplayText.Of)]);

    /// <summary>Prints the table.</summary>
    public void Write(CliConsole console)
    {
        int[] natural = [.. Enumerable.Range(0, _columns.Count).Select(NaturalWidth)];
        int[] shown = Shown(natural, console.Width);
        int[] widths = [.. shown.Select(column => natural[column])];
        Narrow(shown, widths, console.Width);
        string[][] titles = [.. shown.Select(column => _columns[column].TitleLines)];
        int titleLines = titles.Max(lines => lines.Length);
        for (int line = 0; line < titleLines; line++)
        {
            int fromLast = titleLines - line;
            WriteLine(console, shown, widths, [.. titles.Select(lines => fromLast <= lines.Length ? lines[^fromLast] : "")]);
        }

        console.Out.WriteLine(new string('-', widths.Sum() + Gap.Length * (shown.Length - 1)));
        foreach (string[] row in _rows)
            WriteLine(console, shown, widths, [.. shown.Select(column => row[column])]);
        console.Out.WriteLine();
    }

    private PlainTable Add(Column column)
    {
        _columns.Add(column);
        return this;
    }

    private int NaturalWidth(int column) =>
        _rows.Select(row => row[column]).Concat(_columns[column].TitleLines).Max(cell => cell.GetCellWidth());

    // The columns that fit when texts are cut as far as they may be.
    private int[] Shown(int[] natural, int width)
    {
        int[] least = [.. natural.Select((own, column) => _columns[column].IsNumber ? own : Math.Min(own, LeastText))];
        int[] shown = [.. Enumerable.Range(0, _columns.Count)];
        while (shown.Sum(column => least[column]) + Gap.Length * (shown.Length - 1) > width
            && shown.Max(column => _columns[column].Rank) is > 0 and int rank)
        {
            int dropped = shown.Last(column => _columns[column].Rank == rank);
            shown = [.. shown.Where(column => column != dropped)];
        }

        return shown;
    }

    // Takes what is missing from the widest texts, a character at a time.
    private void Narrow(int[] shown, int[] widths, int width)
    {
        for (int excess = widths.Sum() + Gap.Length * (shown.Length - 1) - width; excess > 0; excess--)
        {
            int widest = Enumerable.Range(0, shown.Length).Where(i => !_columns[shown[i]].IsNumber).MaxBy(i => widths[i]);
            if (widths[widest] <= LeastText)
                return;
            widths[widest]--;
        }
    }

    private void WriteLine(CliConsole console, int[] shown, int[] widths, string[] cells)
    {
        IEnumerable<string> padded = cells.Select((cell, i) => Fitted(cell, widths[i], _columns[shown[i]]));
        console.Out.WriteLine(string.Join(Gap, padded).TrimEnd());
    }

    private static string Fitted(string cell, int width, Column column)
    {
        if (cell.GetCellWidth() > width)
            cell = column.KeepsStart ? Start(cell, width - 1) + Cut : Cut + End(cell, width - 1);
        string blanks = new(' ', Math.Max(0, width - cell.GetCellWidth()));
        return column.IsNumber ? blanks + cell : cell + blanks;
    }

    private static string Start(string text, int width)
    {
        int end = text.Length;
        while (text[..end].GetCellWidth() > width)
            end -= end > 1 && char.IsSurrogatePair(text, end - 2) ? 2 : 1;
        return text[..end];
    }

    private static string End(string text, int width)
    {
        int start = 0;
        while (text[start..].GetCellWidth() > width)
            start += char.IsSurrogatePair(text, start) ? 2 : 1;
        return text[start..];
    }

    private sealed record Column(string Title, bool IsNumber, int Rank, bool KeepsStart)
    {
        public string[] TitleLines { get; } = Title.Split(' ');
    }
}
