using System.Text.RegularExpressions;

namespace NestQuant.Security.Tests.Fuzzing;

/// <summary>What went wrong, in words that are the same for the same fault.</summary>
internal static partial class FaultText
{
    private const int Longest = 160;

    /// <summary>A message without the names and numbers of one mutant.</summary>
    public static string Of(string message)
    {
        string start = Start(message, 10 * Longest).ReplaceLineEndings(" ");
        return Start(Particulars().Replace(start, "_"), Longest);
    }

    /// <summary>The kind of exception and where it arose, from what the tool prints for developers.</summary>
    public static string OfInternalError(string error)
    {
        const string Prefix = "internal error: ";
        int start = error.IndexOf(Prefix, StringComparison.Ordinal);
        string exception = start < 0 ? "" : error[(start + Prefix.Length)..].Split(':')[0];
        return $"{exception} at {TopFrame(error)}";
    }

    /// <summary>The topmost frame of the project's own code in printed stack traces, as "Type.Method (File.cs:line)"; else empty.</summary>
    public static string TopFrame(string text)
    {
        Match match = Frame().Match(text);
        string file = match.Groups["line"].Success ? $" ({Path.GetFileName(match.Groups["file"].Value)}:{match.Groups["line"].Value})" : "";
        return match.Success ? match.Groups["method"].Value + file : "";
    }

    private static string Start(string text, int length) => text[..Math.Min(text.Length, length)];

    /// <summary>Whether printed stack traces end in the project's code and not, called by it, in ONNX Runtime.</summary>
    public static bool IsInProject(string text)
    {
        int project = text.IndexOf("   at NestQuant.", StringComparison.Ordinal);
        int foreign = text.IndexOf("   at Microsoft.ML.OnnxRuntime.", StringComparison.Ordinal);
        return project >= 0 && (foreign < 0 || project < foreign);
    }

    [GeneratedRegex(
        @"^\s+at NestQuant\.(?!Security\.Tests)(?<method>[^(\r\n]+)\([^\r\n]*?(?: in (?<file>[^\r\n]+):line (?<line>\d+))?\s*$",
        RegexOptions.Multiline,
        matchTimeoutMilliseconds: 1000)]
    private static partial Regex Frame();

    [GeneratedRegex(
        @"'[^']*'|""[^""]*""|\([^)]*\)|\[[^\]]*(\]|$)|\S*/\S*|-?\d+",
        RegexOptions.ExplicitCapture,
        matchTimeoutMilliseconds: 1000)]
    private static partial Regex Particulars();
}
