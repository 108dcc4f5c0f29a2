namespace NestQuant.RuntimeOps.Schema;

/// <summary>An input of an operator. No operator of the domain has a variadic input.</summary>
/// <param name="Name">Its name, one of <see cref="InputNames"/>.</param>
/// <param name="Type">Its element type.</param>
/// <param name="Shape">Its shape, for the reference.</param>
/// <param name="Meaning">What it is, for the reference.</param>
internal sealed record InputSchema(string Name, ElementType Type, string Shape, string Meaning)
{
    /// <summary>Its position among the operator's inputs.</summary>
    public int Position { get; init; }

    /// <summary>
    /// Another element type that it may have; none where undefined. ONNX Runtime has no name for a choice of two, so that it lets any type
    /// pass, and the kernel refuses others.
    /// </summary>
    public ElementType OtherType { get; init; }

    /// <summary>Whether a node may leave it out.</summary>
    public bool IsOptional { get; init; }

    /// <summary>
    /// Whether the compiler always writes a constant, and what reads a compiled model, such as export and inspection, requires one. The
    /// operator itself also runs on values that are fed or computed.
    /// </summary>
    public bool IsConstant { get; init; }
}
