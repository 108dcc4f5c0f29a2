using System.Text.RegularExpressions;
using NestQuant.TestSupport;

namespace NestQuant.Architecture.Tests;

public partial class LinkTests
{
    [Fact]
    public void Links_between_pages_lead_somewhere() =>
        Assert.Empty(SourceFiles.Of("*.md").SelectMany(page => Link().Matches(File.ReadAllText(page))
            .Select(match => match.Groups["target"].Value)
            .Where(target => !target.Contains("://", StringComparison.Ordinal) && !Exists(page, target))
            .Select(target => $"{Path.GetRelativePath(Checkout.Root, page)}: {target}")));

    private static bool Exists(string page, string target)
    {
        string[] parts = target.Split('#', 2);
        string file = parts[0].Length == 0 ? page : Path.Combine(Path.GetDirectoryName(page)!, parts[0]);
        return Path.Exists(file)
            && (parts.Length == 1 || File.ReadLines(file).Any(line => line.StartsWith('#') && Anchor(line) == parts[1]));
    }

    // As GitHub makes them: lower case, blanks as hyphens, nothing else but letters, digits, hyphens and underscores.
    private static string Anchor(string heading) => string.Concat(heading.TrimStart('#').Trim()
        .ToLowerInvariant()
        .Replace(' ', '-')
        .Where(c => char.IsLetterOrDigit(c) || c is '-' or '_'));

    [GeneratedRegex(@"\]\((?<target>[^)\s]+)\)", RegexOptions.ExplicitCapture)]
    private static partial Regex Link();
}
