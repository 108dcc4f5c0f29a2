using NestQuant.Passes.Tests.Models;
using NestQuant.TestSupport;

namespace NestQuant.Passes.Tests.Integer.Sweep;

/// <summary>
/// Operators with some attributes between convolutions: nodes that read the results a and b of two equal convolutions, and make z.
/// </summary>
/// <param name="Text">The nodes, as <see cref="NodeText"/> reads them.</param>
internal sealed record OperatorCase(string Text)
{
    /// <summary>Operator set of the model.</summary>
    public long Opset { get; init; } = 17;

    /// <summary>Shape of the input; the convolutions make 8 channels of it and take 2 from every spatial axis.</summary>
    public long[] Shape { get; init; } = [1, 3, 7, 9];

    /// <summary>
    /// In dB, how near the integers have to be to their float form: a result that is one step off everywhere has about 36.
    /// </summary>
    public double SameIntegers { get; init; } = 38;

    public override string ToString() => FormattableString.Invariant($"{Text} (operator set {Opset}, input {string.Join('x', Shape)})");

    /// <summary>The graph up to z, with the input x.</summary>
    public GraphBuilder Build()
    {
        long[] kernel = [.. Shape.Skip(2).Select(static _ => 3L)];
        GraphBuilder graph = new GraphBuilder().Input("x", Shape).Random("W", [8, 3, .. kernel]).Random("B", 8).Node("a = Conv(x, W, B)");
        bool isSecondRead = Text.Contains("b,", StringComparison.Ordinal) || Text.Contains("b)", StringComparison.Ordinal);
        if (isSecondRead) graph.Random("W2", [8, 3, .. kernel]).Random("B2", 8).Node("b = Conv(x, W2, B2)");
        return graph.Nodes(Text);
    }
}
