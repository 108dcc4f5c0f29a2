using System.Globalization;

namespace NestQuant.RuntimeOps.Schema;

/// <summary>An attribute of an operator.</summary>
/// <param name="Name">Its name, one of <see cref="AttributeNames"/>.</param>
/// <param name="Kind">Its type, in ONNX's words.</param>
/// <param name="Values">The values that are allowed, for the reference.</param>
/// <param name="Meaning">What it says, for the reference.</param>
internal abstract record AttributeSchema(string Name, string Kind, string Values, string Meaning)
{
    /// <summary>Whether a node must have it; then there is no default.</summary>
    public bool IsRequired { get; init; }

    /// <summary>The default in words, for the reference.</summary>
    public abstract string DefaultText { get; }
}

/// <summary>An attribute that is an int.</summary>
/// <inheritdoc cref="AttributeSchema"/>
internal sealed record IntAttribute(string Name, string Values, string Meaning, long Default = 0)
    : AttributeSchema(Name, "int", Values, Meaning)
{
    /// <inheritdoc/>
    public override string DefaultText => Default.ToString(CultureInfo.InvariantCulture);
}

/// <summary>An attribute that is a list of ints; when it is absent, the operator derives the list from other attributes.</summary>
/// <inheritdoc cref="AttributeSchema"/>
internal sealed record IntsAttribute(string Name, string Values, string Meaning, string Default = "")
    : AttributeSchema(Name, "ints", Values, Meaning)
{
    /// <inheritdoc/>
    public override string DefaultText => Default;
}

/// <summary>An attribute that is a float.</summary>
/// <inheritdoc cref="AttributeSchema"/>
internal sealed record FloatAttribute(string Name, string Values, string Meaning, float Default)
    : AttributeSchema(Name, "float", Values, Meaning)
{
    /// <inheritdoc/>
    public override string DefaultText => float.IsInfinity(Default)
        ? Default > 0 ? "+infinity" : "-infinity"
        : Default.ToString(CultureInfo.InvariantCulture);
}

/// <summary>An attribute that is a string.</summary>
/// <inheritdoc cref="AttributeSchema"/>
internal sealed record StringAttribute(string Name, string Values, string Meaning, string Default = "")
    : AttributeSchema(Name, "string", Values, Meaning)
{
    /// <inheritdoc/>
    public override string DefaultText => Default.Length == 0 ? "empty" : Default;
}
