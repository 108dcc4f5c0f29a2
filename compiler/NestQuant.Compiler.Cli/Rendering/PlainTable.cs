using NestQuant.Compiler.Cli.Terminal;
using NestQuant.Onnx;
using Spectre.Console;

namespace NestQuant.Compiler.Cli.Rendering;

/// <summary>A table of plain cells: the first columns read from the left, columns of numbers from the right.</summary>
internal sealed class PlainTable
{
    private readonly Table _table = new Table().Border(TableBorder.Simple);

    /// <summary>Adds a column of text.</summary>
    public PlainTable Text(string title)
    {
        _table.AddColumn(new TableColumn(new Text(title)));
        return this;
    }

    /// <summary>Adds a column of numbers.</summary>
    public PlainTable Number(string title)
    {
        _table.AddColumn(new TableColumn(new Text(title)).RightAligned().NoWrap());
        return this;
    }

    /// <summary>Adds a row of as many cells as there are columns; texts, that may come from a model, are escaped and cut.</summary>
    public void Row(params string[] cells) => _table.AddRow(cells.Select(cell => new Text(DisplayText.Of(cell))));

    /// <summary>Prints the table.</summary>
    public void Write(CliConsole console) => console.RichOut().Write(_table);
}
