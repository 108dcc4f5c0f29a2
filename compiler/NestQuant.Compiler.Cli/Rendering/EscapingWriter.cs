using System.Buffers;
using System.Globalization;
using System.Text;

namespace NestQuant.Compiler.Cli.Rendering;

/// <summary>
/// Passes text on with control characters escaped, so that no name in a model commands the terminal that shows it. Lines end as they do.
/// </summary>
internal sealed class EscapingWriter : TextWriter
{
    /// <summary>C0 and C1 control characters but the line feed, and those that reverse the direction of text.</summary>
    private static readonly SearchValues<char> s_commands = SearchValues.Create(
    [
        .. Enumerable.Range(0, 0xA0).Select(code => (char)code).Where(c => char.IsControl(c) && c != '\n'),
        .. "\u202A\u202B\u202C\u202D\u202E\u2066\u2067\u2068\u2069",
    ]);

    private readonly TextWriter _inner;

    /// <param name="inner">Gets the text.</param>
    public EscapingWriter(TextWriter inner)
        : base(inner.FormatProvider)
    {
        _inner = inner;
        CoreNewLine = inner.NewLine.ToCharArray();
    }

    /// <inheritdoc/>
    public override Encoding Encoding => _inner.Encoding;

    /// <summary>The text with <c>\u001b</c> and the like in the place of control characters.</summary>
    public static string Escape(string text) => text.AsSpan().ContainsAny(s_commands) ? Escape(text.AsSpan()) : text;

    /// <inheritdoc/>
    public override void Write(char value) => Write([value]);

    /// <inheritdoc/>
    public override void Write(string? value) => Write(value.AsSpan());

    /// <inheritdoc/>
    public override void Write(char[] buffer, int index, int count) => Write(buffer.AsSpan(index, count));

    /// <inheritdoc/>
    public override void Write(ReadOnlySpan<char> buffer)
    {
        if (buffer.ContainsAny(s_commands))
            _inner.Write(Escape(buffer));
        else
            _inner.Write(buffer);
    }

    /// <inheritdoc/>
    public override void Flush() => _inner.Flush();

    private static string Escape(ReadOnlySpan<char> text)
    {
        var escaped = new StringBuilder(text.Length + 16);
        for (int at; (at = text.IndexOfAny(s_commands)) >= 0; text = text[(at + 1)..])
        {
            escaped.Append(text[..at]);
            if (text[at..].StartsWith("\r\n"))
                escaped.Append('\r');
            else
                escaped.Append(CultureInfo.InvariantCulture, $"\\u{(int)text[at]:x4}");
        }

        return escaped.Append(text).ToString();
    }
}
