namespace NestQuant.Data;

/// <summary>A file for an input of a model, which command lines write as <c>[NAME=]FILE</c>.</summary>
/// <param name="Name">The input's name; null where none is given.</param>
/// <param name="Path">The file, or a folder or archive with files for several inputs.</param>
internal readonly record struct NamedFile(string? Name, string Path)
{
    /// <summary>
    /// Reads the text of a command line. A path may contain '=' too: the text before the first one is a name unless there is a file of the
    /// whole text.
    /// </summary>
    public static NamedFile Parse(string text)
    {
        int separator = text.IndexOf('=', StringComparison.Ordinal);
        return separator > 0 && !File.Exists(text) && !Directory.Exists(text)
            ? new NamedFile(text[..separator], text[(separator + 1)..])
            : new NamedFile(null, text);
    }
}
