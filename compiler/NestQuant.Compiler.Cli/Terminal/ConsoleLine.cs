using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using NestQuant.Onnx;

namespace NestQuant.Compiler.Cli.Terminal;

/// <summary>A line of output as an interpolated string: texts among its values, which may come from a model, are escaped and cut.</summary>
[InterpolatedStringHandler]
internal readonly ref struct ConsoleLine(int literalLength, int formattedCount)
{
    private const int ExpectedValueLength = 12;

    private readonly StringBuilder _text = new(literalLength + formattedCount * ExpectedValueLength);

    public void AppendLiteral(string text) => _text.Append(text);

    public void AppendFormatted(string? text) => _text.Append(DisplayText.Of(text ?? ""));

    public void AppendFormatted<T>(T value) => _text.Append(CultureInfo.InvariantCulture, $"{value}");

    public override string ToString() => _text.ToString();
}
