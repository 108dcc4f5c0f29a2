using System.Globalization;
using System.Text;

namespace NestQuant.Onnx.Files;

/// <summary>File names for values of a model, whose own names may contain any characters.</summary>
internal sealed class FileNames
{
    private const int MaxLength = 120;

    private readonly HashSet<string> _used = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>
    /// A name made of letters, digits, '.', '_' and '-', unique among those given so far, also on file systems that ignore case:
    /// <c>/conv1/Conv</c> becomes <c>conv1_Conv</c>.
    /// </summary>
    public string Make(string name)
    {
        var text = new StringBuilder(Math.Min(name.Length, MaxLength));
        foreach (char c in name)
        {
            if (text.Length < MaxLength)
                text.Append(char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-' ? c : '_');
        }

        string stem = text.ToString().Trim('_', '.', '-');
        if (stem.Length == 0)
            stem = "unnamed";
        string unique = stem;
        for (int i = 2; !_used.Add(unique); i++)
            unique = string.Create(CultureInfo.InvariantCulture, $"{stem}_{i}");
        return unique;
    }
}
