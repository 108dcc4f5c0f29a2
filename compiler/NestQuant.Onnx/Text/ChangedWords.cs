using System.Text;
using System.Text.RegularExpressions;

namespace NestQuant.Onnx.Text;

/// <summary>
/// Marks the words in which two lines differ as <c>[-before-]</c> and <c>{+after+}</c>, and leaves out the middle of long parts that they
/// share, so that a change in a line of hundreds of characters is easy to find.
/// </summary>
internal static partial class ChangedWords
{
    private const int LongestShared = 60;
    private const int Context = 25;

    /// <summary>Lines of more words are not compared word by word: they are shown as they are.</summary>
    private const int MostWords = 4000;

    /// <summary>Both lines with their differences marked; unmarked when they share less than half of their words.</summary>
    public static (string Before, string After) Mark(string before, string after)
    {
        List<string> a = Words(before), b = Words(after);
        if (a.Count > MostWords || b.Count > MostWords)
            return (before, after);
        IReadOnlyList<(int A, int B)> shared = CommonSubsequence.Of(a, b);
        int sharedWords = shared.Count(pair => IsWord(a[pair.A]));
        if (2 * sharedWords < Math.Min(a.Count(IsWord), b.Count(IsWord)))
            return (before, after);
        return (
            Marked(a, Kept(a, shared.Select(pair => pair.A)), "[-", "-]"),
            Marked(b, Kept(b, shared.Select(pair => pair.B)), "{+", "+}"));
    }

    private static bool IsWord(string word) => char.IsLetterOrDigit(word[0]) || word[0] is '_' or '.';

    // Punctuation between two changed words counts as changed with them: one mark instead of three.
    private static HashSet<int> Kept(List<string> words, IEnumerable<int> shared)
    {
        var kept = new HashSet<int>(shared);
        int afterChange = 0;
        for (int i = 0; i < words.Count; i++)
        {
            if (!kept.Contains(i))
            {
                for (int between = afterChange > 0 ? afterChange : i; between < i; between++)
                    kept.Remove(between);
                afterChange = i + 1;
            }
            else if (IsWord(words[i]))
            {
                afterChange = 0;
            }
        }

        return kept;
    }

    private static List<string> Words(string line) => [.. Word().Matches(line).Select(match => match.Value)];

    private static string Marked(List<string> words, HashSet<int> shared, string open, string close)
    {
        var text = new StringBuilder();
        for (int i = 0; i < words.Count;)
        {
            int end = i;
            bool isShared = shared.Contains(i);
            while (end < words.Count && shared.Contains(end) == isShared)
                end++;
            string stretch = string.Concat(words.GetRange(i, end - i));
            text.Append(isShared ? Shortened(stretch, isFirst: i == 0, isLast: end == words.Count) : $"{open}{stretch}{close}");
            i = end;
        }

        return text.ToString();
    }

    // The start of a line, which names its subject, is always shown.
    private static string Shortened(string stretch, bool isFirst, bool isLast)
    {
        int head = isFirst ? LongestShared : Context;
        int tail = isLast ? 0 : Context;
        return stretch.Length <= head + tail + LongestShared
            ? stretch
            : string.Concat(stretch.AsSpan(0, head), " … ", stretch.AsSpan(stretch.Length - tail));
    }

    [GeneratedRegex(@"[\w.]+|\s+|[^\w.\s]")]
    private static partial Regex Word();
}
