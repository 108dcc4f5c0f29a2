using System.Text;

namespace NestQuant.Security.Tests.Fuzzing;

/// <summary>Keeps the beginning of what a command prints, and notes characters that a terminal would obey.</summary>
internal sealed class ScreenWriter : TextWriter
{
    private const int Kept = 20_000;

    private readonly StringBuilder _text = new();

    public override Encoding Encoding => Encoding.UTF8;

    /// <summary>Whether anything but text and new lines was printed.</summary>
    public bool HasControlCharacters { get; private set; }

    public override void Write(char value)
    {
        HasControlCharacters |= char.IsControl(value) && value != '\n';
        if (_text.Length < Kept) _text.Append(value);
    }

    public override void Write(string? value) => Write(value.AsSpan());

    public override void Write(char[] buffer, int index, int count) => Write(buffer.AsSpan(index, count));

    public override void Write(ReadOnlySpan<char> buffer)
    {
        foreach (char value in buffer) HasControlCharacters |= char.IsControl(value) && value != '\n';
        _text.Append(buffer[..Math.Clamp(Kept - _text.Length, 0, buffer.Length)]);
    }

    public override string ToString() => _text.ToString();
}
