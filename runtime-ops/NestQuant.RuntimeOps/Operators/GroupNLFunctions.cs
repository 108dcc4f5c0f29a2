namespace NestQuant.RuntimeOps.Operators;

/// <summary>Values of the attribute <see cref="AttributeNames.Function"/>.</summary>
public static class GroupNLFunctions
{
    /// <summary>sin((n - shift) * period), GroupNL's own (arXiv 2506.12335).</summary>
    public const string Sine = "sine";
}
