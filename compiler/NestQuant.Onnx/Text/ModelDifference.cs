using System.Text;

namespace NestQuant.Onnx.Text;

/// <summary>What happened to a part of a model.</summary>
public enum ChangeKind
{
    /// <summary>Only the model after has it.</summary>
    Added,

    /// <summary>Only the model before has it.</summary>
    Removed,

    /// <summary>Both have it, and it differs.</summary>
    Changed,
}

/// <summary>One difference between two models.</summary>
/// <param name="Section">Part of the model, for example <c>initializers</c> or <c>nodes</c>.</param>
/// <param name="Kind">What happened.</param>
/// <param name="Before">The part in ONNX's textual syntax, null when added.</param>
/// <param name="After">The part in ONNX's textual syntax, null when removed.</param>
public sealed record ModelChange(string Section, ChangeKind Kind, string? Before, string? After);

/// <summary>The differences between two models; prints as text for a reviewer.</summary>
public sealed class ModelDifference
{
    internal ModelDifference(IReadOnlyList<ModelChange> changes) => Changes = changes;

    /// <summary>The differences, section by section, each in the order of the models.</summary>
    public IReadOnlyList<ModelChange> Changes { get; }

    /// <summary>Whether the models are the same.</summary>
    public bool IsEmpty => Changes.Count == 0;

    /// <summary>The differences as text: a heading per section, then <c>-</c> lines of before and <c>+</c> lines of after, in
    /// which <c>[-words-]</c> and <c>{+words+}</c> are those that differ.</summary>
    /// <returns>Lines ended by LF; empty when there are no differences.</returns>
    public override string ToString()
    {
        var text = new StringBuilder();
        var section = "";
        foreach (var change in Changes)
        {
            if (change.Section != section)
                text.Append(section = change.Section).Append(":\n");
            (string? before, string? after) = change.Before is { } a && change.After is { } b
                ? ChangedWords.Mark(a, b)
                : (change.Before, change.After);
            Append(text, '-', before);
            Append(text, '+', after);
        }

        return text.ToString();
    }

    private static void Append(StringBuilder text, char sign, string? lines)
    {
        foreach (var line in lines?.Split('\n') ?? [])
            text.Append(sign).Append(' ').Append(line).Append('\n');
    }
}
