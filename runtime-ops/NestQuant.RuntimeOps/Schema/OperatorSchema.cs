namespace NestQuant.RuntimeOps.Schema;

/// <summary>
/// An operator of the domain: the one place that knows its inputs, their order and its attributes. Registration, kernels, the compiler's
/// passes and the reference in docs/operators.md read it.
/// </summary>
internal sealed class OperatorSchema
{
    private readonly Dictionary<string, InputSchema> _inputs;

    /// <summary>Describes an operator.</summary>
    /// <param name="name">Its type, one of <see cref="OperatorNames"/>.</param>
    /// <param name="summary">What it computes, for the reference.</param>
    /// <param name="inputs">Its inputs in order.</param>
    /// <param name="attributes">Its attributes.</param>
    /// <param name="output">Its output.</param>
    public OperatorSchema(
        string name, string summary, IEnumerable<InputSchema> inputs, IReadOnlyList<AttributeSchema> attributes, OutputSchema output)
    {
        Name = name;
        Summary = summary;
        Inputs = [.. inputs.Select(static (input, position) => input with { Position = position })];
        Attributes = attributes;
        Output = output;
        _inputs = Inputs.ToDictionary(static input => input.Name, StringComparer.Ordinal);
    }

    /// <summary>The operator's type.</summary>
    public string Name { get; }

    /// <summary>What it computes.</summary>
    public string Summary { get; }

    /// <summary>The version of the domain that it came with; all came with the first.</summary>
    public int SinceVersion => OperatorSet.Version;

    /// <summary>The inputs in order.</summary>
    public IReadOnlyList<InputSchema> Inputs { get; }

    /// <summary>The attributes.</summary>
    public IReadOnlyList<AttributeSchema> Attributes { get; }

    /// <summary>The output.</summary>
    public OutputSchema Output { get; }

    /// <summary>Whether its weight is nested, so that it has a high and a low operand and a choice of bits.</summary>
    public bool IsNested => HasInput(InputNames.WeightHigh);

    /// <summary>Whether its activations are quantized: X is uint8, and its scale and zero point follow.</summary>
    public bool HasQuantizedInput => HasInput(InputNames.XScale);

    /// <summary>Whether its weight is that of a convolution.</summary>
    public bool IsConvolution => Attributes.Contains(OperatorAttributes.Group);

    /// <summary>Whether its output is uint8.</summary>
    public bool HasQuantizedOutput => Output.Type == ElementType.UInt8;

    /// <summary>Whether there is an input of this name.</summary>
    public bool HasInput(string input) => _inputs.ContainsKey(input);

    /// <summary>An input.</summary>
    /// <exception cref="ArgumentException">The operator has no such input.</exception>
    public InputSchema this[string input] => _inputs.TryGetValue(input, out InputSchema? known)
        ? known
        : throw new ArgumentException($"{Name} has no input '{input}'", nameof(input));
}
