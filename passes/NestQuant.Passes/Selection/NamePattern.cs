namespace NestQuant.Passes.Selection;

/// <summary>A pattern of node names: <c>*</c> stands for any run of characters, <c>?</c> for exactly one; case matters.</summary>
internal sealed class NamePattern(string pattern)
{
    /// <summary>Whether a text is more than the name of one node.</summary>
    public static bool HasWildcards(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return text.AsSpan().ContainsAny('*', '?');
    }

    /// <summary>Whether the whole name matches.</summary>
    public bool Matches(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return System.IO.Enumeration.FileSystemName.MatchesSimpleExpression(
            pattern.Replace(@"\", @"\\", StringComparison.Ordinal), name, ignoreCase: false);
    }
}
