using System.Globalization;

namespace NestQuant.Data;

/// <summary>
/// Reads the subset of Python literals that occurs in a <c>.npy</c> header: one dictionary of strings, booleans and integer tuples.
/// </summary>
internal ref struct PythonLiteral
{
    private ReadOnlySpan<char> _rest;

    private PythonLiteral(ReadOnlySpan<char> text) => _rest = text;

    /// <summary>Parses <c>{'key': value, ...}</c>; a value becomes a string, a bool or a long[].</summary>
    /// <exception cref="FormatException">The text is something else.</exception>
    public static Dictionary<string, object> ParseDictionary(ReadOnlySpan<char> text)
    {
        var reader = new PythonLiteral(text);
        var fields = new Dictionary<string, object>(StringComparer.Ordinal);
        reader.Expect('{');
        while (!reader.Accept('}'))
        {
            string key = reader.ReadString();
            reader.Expect(':');
            if (!fields.TryAdd(key, reader.ReadValue()))
                throw new FormatException($"'{key}' appears twice");
            if (!reader.Accept(','))
            {
                reader.Expect('}');
                break;
            }
        }

        reader.SkipSpace();
        return reader._rest.IsEmpty ? fields : throw new FormatException("text follows the dictionary");
    }

    private object ReadValue()
    {
        SkipSpace();
        if (_rest.StartsWith("True"))
            return Skip(4, true);
        if (_rest.StartsWith("False"))
            return Skip(5, false);
        if (_rest.StartsWith("("))
            return ReadTuple();
        if (_rest.StartsWith("["))
            return ReadFieldList();
        return ReadString();
    }

    private bool Skip(int length, bool value)
    {
        _rest = _rest[length..];
        return value;
    }

    private long[] ReadTuple()
    {
        var items = new List<long>();
        Expect('(');
        while (!Accept(')'))
        {
            items.Add(ReadInteger());
            if (!Accept(','))
            {
                Expect(')');
                break;
            }
        }

        return [.. items];
    }

    // The type of a structured array is a list; it is recognised so that the caller can report it, and its content is skipped.
    private long[] ReadFieldList()
    {
        int end = _rest.LastIndexOf(']');
        if (end < 0)
            throw new FormatException("a list is not closed");
        _rest = _rest[(end + 1)..];
        return [];
    }

    private long ReadInteger()
    {
        SkipSpace();
        int length = 0;
        while (length < _rest.Length && (char.IsAsciiDigit(_rest[length]) || (length == 0 && _rest[length] == '-')))
            length++;
        if (!long.TryParse(_rest[..length], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long value))
            throw new FormatException("an extent is not an integer");
        // Python 2 wrote long integers with a suffix.
        if (length < _rest.Length && _rest[length] == 'L')
            length++;
        _rest = _rest[length..];
        return value;
    }

    private string ReadString()
    {
        SkipSpace();
        if (_rest.IsEmpty || _rest[0] is not ('\'' or '"'))
            throw new FormatException("a quoted string was expected");
        char quote = _rest[0];
        int length = _rest[1..].IndexOf(quote);
        if (length < 0)
            throw new FormatException("a string is not closed");
        string value = _rest.Slice(1, length).ToString();
        _rest = _rest[(length + 2)..];
        return value;
    }

    private bool Accept(char expected)
    {
        SkipSpace();
        if (_rest.IsEmpty || _rest[0] != expected)
            return false;
        _rest = _rest[1..];
        return true;
    }

    private void Expect(char expected)
    {
        if (!Accept(expected))
            throw new FormatException($"'{expected}' was expected");
    }

    private void SkipSpace() => _rest = _rest.TrimStart(" \t\r\n");
}
