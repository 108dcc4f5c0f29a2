namespace NestQuant.RuntimeOps.Schema;

/// <summary>The one output of an operator.</summary>
/// <param name="Type">Its element type.</param>
/// <param name="Shape">Its shape, for the reference.</param>
internal sealed record OutputSchema(ElementType Type, string Shape)
{
    /// <summary>Its name.</summary>
    public const string Name = "Y";
}
