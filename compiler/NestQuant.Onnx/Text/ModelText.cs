namespace NestQuant.Onnx.Text;

/// <summary>
/// Prints models in ONNX's textual syntax, as ONNX's own parser reads it: one node and one initializer per line, in the model's
/// order, lines ended by LF, numbers in the invariant culture. The same model always gives the same text.
/// </summary>
/// <remarks>
/// Parts of a model that the syntax cannot express are printed as comments (from <c>#</c> to the end of the line): sparse initializers,
/// quantization annotations, metadata of graphs, functions and nodes, and the number of training graphs and device configurations.
/// Documentation strings are printed for the model only.
/// </remarks>
public static class ModelText
{
    /// <summary>Prints a model.</summary>
    /// <param name="model">The model.</param>
    /// <param name="options">What to print; null means the defaults.</param>
    /// <returns>The text, ended by LF.</returns>
    /// <exception cref="ModelException">The content of a tensor does not fit its type and shape.</exception>
    public static string Print(ModelProto model, TextOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        var printer = new TextPrinter(options ?? new TextOptions());
        printer.Print(model);
        return printer.ToString();
    }
}

/// <summary>What <see cref="ModelText"/> prints.</summary>
public sealed record TextOptions
{
    /// <summary>
    /// Whether the producer and the metadata of the model, its graphs, functions and nodes are printed. They describe the origin of a model
    /// (versions, options, hashes, an exporter's stack traces), not what it computes: without them, a snapshot of a rewritten graph changes
    /// only when the graph does.
    /// </summary>
    public bool Metadata { get; init; }

    /// <summary>
    /// Whether tensors of more than <see cref="MaxElements"/> elements are printed without values, as <c>{}</c> and a comment with
    /// the first 16 hexadecimal digits of the SHA-256 of their bytes; metadata values of more than 200 characters likewise. When false and
    /// <see cref="Metadata"/> is true, parsing the text restores the whole model.
    /// </summary>
    public bool ElideWeights { get; init; } = true;

    /// <summary>Largest number of elements that are printed even so.</summary>
    public int MaxElements { get; init; } = 16;

    /// <summary>Whether nodes are printed with their names, <c>[name]</c>, which ONNX's parser reads since version 1.17.</summary>
    public bool NodeNames { get; init; } = true;
}
