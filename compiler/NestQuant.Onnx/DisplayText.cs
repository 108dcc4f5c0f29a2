using System.Globalization;
using System.Text;

namespace NestQuant.Onnx;

/// <summary>
/// Text from a model in a form that is safe to show: characters that would control a terminal or reorder its text are escaped, and long
/// text is shortened.
/// </summary>
public static class DisplayText
{
    private const int Longest = 400;
    private const int Head = 300;
    private const int Tail = 60;

    private const int LongestMessage = 4000;

    /// <summary>A name or another short text: on one line, escaped, and without its middle where it has more than 400 characters.</summary>
    /// <param name="text">The text.</param>
    /// <returns>The text to show.</returns>
    public static string Of(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return Escape(Elide(text));
    }

    /// <summary>
    /// A message that may quote names: on one line, escaped, and with each long text between single quotes cut as <see cref="Of"/> cuts it.
    /// </summary>
    /// <param name="message">The message.</param>
    /// <returns>The message to show.</returns>
    public static string OfMessage(string message)
    {
        ArgumentNullException.ThrowIfNull(message);
        var shown = string.Join('\'', message.Split('\'').Select(Elide));
        return Escape(
            shown.Length <= LongestMessage
                ? shown
                : string.Concat(shown.AsSpan(0, LongestMessage / 2), " … ", shown.AsSpan(shown.Length - (LongestMessage / 2))));
    }

    /// <summary>
    /// The text with control characters, line and paragraph separators, marks of writing direction and lone surrogates as <c>\u001b</c>:
    /// JSON's escape.
    /// </summary>
    /// <param name="text">The text.</param>
    /// <param name="keepLines">Whether line feeds stay, for text of several lines.</param>
    /// <returns>The escaped text; the same one where there is nothing to escape.</returns>
    public static string Escape(string text, bool keepLines = false)
    {
        ArgumentNullException.ThrowIfNull(text);
        StringBuilder? escaped = null;
        for (var i = 0; i < text.Length; i++)
        {
            var length = i + 1 < text.Length && char.IsSurrogatePair(text[i], text[i + 1]) ? 2 : 1;
            if (length == 1 && IsHarmful(text[i]) && !(keepLines && text[i] == '\n'))
            {
                escaped ??= new StringBuilder(text, 0, i, text.Length + 16);
                escaped.Append(CultureInfo.InvariantCulture, $"\\u{(int)text[i]:x4}");
            }
            else
            {
                escaped?.Append(text, i, length);
                i += length - 1;
            }
        }

        return escaped?.ToString() ?? text;
    }

    private static string Elide(string text) =>
        text.Length <= Longest ? text : string.Concat(text.AsSpan(0, Head), " … ", text.AsSpan(text.Length - Tail));

    // Bidirectional marks, embeddings, overrides and isolates make text read as something else; other format characters belong to scripts
    // and emoji.
    private static bool IsHarmful(char c) =>
        char.IsControl(c)
            || char.IsSurrogate(c)
            || c is '\u061c' or '\u200e' or '\u200f' or (>= '\u2028' and <= '\u202e') or (>= '\u2066' and <= '\u2069');
}
