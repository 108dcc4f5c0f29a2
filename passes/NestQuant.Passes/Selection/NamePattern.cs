namespace NestQuant.Passes.Selection;

/// <summary>A pattern of node names: <c>*</c> stands for any run of characters, <c>?</c> for exactly one; case matters.</summary>
public sealed class NamePattern(string pattern)
{
    /// <summary>Whether the whole name matches.</summary>
    public bool Matches(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return System.IO.Enumeration.FileSystemName.MatchesSimpleExpression(
            pattern.Replace(@"\", @"\\", StringComparison.Ordinal), name, ignoreCase: false);
    }
}
