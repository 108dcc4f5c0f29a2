namespace NestQuant.Packaging.Tests;

/// <summary>A fenced block of a document in a language that can be executed.</summary>
/// <param name="Document">Path from the checkout's root.</param>
/// <param name="Line">Line of the opening fence, from 1.</param>
/// <param name="Language">What the fence says: <c>csharp</c>, <c>sh</c>, or <c>console</c> for commands with their output.</param>
/// <param name="Text">The lines between the fences.</param>
/// <param name="NotRun">Why it is not executed, as the comment before it says: <c>&lt;!-- not run: why --&gt;</c>; null when it is.</param>
/// <param name="Needs">Programs that it cannot do without, as the comment before it says: <c>&lt;!-- needs: cmake, cc --&gt;</c>.</param>
internal sealed record DocumentedSample(
    string Document, int Line, string Language, IReadOnlyList<string> Text, string? NotRun, IReadOnlyList<string> Needs)
{
    /// <summary>A block of C#.</summary>
    public const string CSharp = "csharp";

    private const string Fence = "```";

    /// <summary>The shell commands of a block that is not C#; of a <c>console</c> block what follows its <c>$</c> prompts.</summary>
    public string Commands => string.Join('\n', Language == "console" ? Prompted() : Text);

    /// <summary>The blocks of one document, first to last, other languages and plain text left out.</summary>
    public static IReadOnlyList<DocumentedSample> In(string document, IReadOnlyList<string> lines)
    {
        List<DocumentedSample> samples = [];
        for (int i = 0; i < lines.Count; i++)
        {
            if (!lines[i].StartsWith(Fence, StringComparison.Ordinal)) continue;
            int end = i + 1;
            while (lines[end] != Fence) end++;
            string language = lines[i][Fence.Length..];
            string[] text = [.. lines.Skip(i + 1).Take(end - i - 1)];
            if (language is CSharp or "sh" or "console")
            {
                string[] needs = Comment(lines, i, "needs")?.Split(", ") ?? [];
                samples.Add(new DocumentedSample(document, i + 1, language, text, Comment(lines, i, "not run"), needs));
            }
            else // commands in a block without a language would never be executed
                Assert.DoesNotContain(text, LooksLikeACommand);

            i = end;
        }

        return samples;
    }

    /// <summary>What the line before a fence says of it, if it is a comment <c>&lt;!-- subject: ... --&gt;</c>.</summary>
    private static string? Comment(IReadOnlyList<string> lines, int fence, string subject)
    {
        string start = $"<!-- {subject}: ";
        return fence > 0 && lines[fence - 1].StartsWith(start, StringComparison.Ordinal)
            ? lines[fence - 1][start.Length..].Replace(" -->", "", StringComparison.Ordinal)
            : null;
    }

    private static bool LooksLikeACommand(string line) =>
        line.StartsWith("./", StringComparison.Ordinal)
        || line.StartsWith("nestquant ", StringComparison.Ordinal)
        || line.StartsWith("dotnet ", StringComparison.Ordinal);

    private IEnumerable<string> Prompted()
    {
        bool continued = false;
        foreach (string line in Text)
        {
            bool prompted = line.StartsWith("$ ", StringComparison.Ordinal);
            if (prompted || continued) yield return prompted ? line[2..] : line;
            continued = (prompted || continued) && line.EndsWith('\\');
        }
    }
}
