using NestQuant.Onnx;
using NestQuant.Onnx.Graph;

namespace NestQuant.Passes.Operators;

/// <summary>
/// A value as a function of another one, x, that is linear on either side of 0: <c>x &gt;= 0 ? Positive * x : Negative * x</c>, the factors
/// the same for all channels or one for every channel.
/// </summary>
/// <param name="Source">Name of x.</param>
/// <param name="Positive">One factor, or one for every channel.</param>
/// <param name="Negative">Likewise.</param>
/// <param name="Shape">Shape of a constant of these factors; empty where there is one.</param>
/// <param name="IsFloat">Whether one of the operators says that x is no integer.</param>
internal sealed record TwoSlopes(string Source, double[] Positive, double[] Negative, long[] Shape, bool IsFloat = false)
{
    /// <summary>The function that changes nothing.</summary>
    public static TwoSlopes Identity(string source) => new(source, [1], [1], []);

    /// <summary>The function of a node of one operand; null where it is of another form.</summary>
    public TwoSlopes? Then(NodeProto node) => node.OpType switch
    {
        "Relu" => Leaky(0),
        "LeakyRelu" => Leaky(node.GetFloat("alpha", 0.01f)) with { IsFloat = true },
        "Neg" => Map(static p => -p, static n => -n),
        "Abs" => Map(Math.Abs, static n => -Math.Abs(n)),
        _ => null,
    };

    /// <summary>The function times constants.</summary>
    /// <param name="function">Factors alone.</param>
    /// <param name="shape">Shape of their constant.</param>
    public TwoSlopes? Times(ChannelFunction function, long[] shape) => function is { Scale: { } factors, Bias: null, Slope: null }
        ? Combine(
            new TwoSlopes(Source, factors, factors, factors.Length == 1 ? [] : shape, IsFloat: true),
            static (a, b) => a * b,
            static (a, b) => a * b)
        : null;

    /// <summary>The function of a node of two operands that are functions of one value; null where it is of another form.</summary>
    public TwoSlopes? With(NodeProto node, TwoSlopes other) => node.OpType switch
    {
        "Add" => Combine(other, static (a, b) => a + b, static (a, b) => a + b),
        "Sub" => Combine(other, static (a, b) => a - b, static (a, b) => a - b),
        "Max" => Combine(other, Math.Max, Math.Min),
        "Min" => Combine(other, Math.Min, Math.Max),
        _ => null,
    };

    /// <summary>Below 0 a value is positive where its factor is negative.</summary>
    private TwoSlopes Leaky(double alpha) => Map(p => p >= 0 ? p : alpha * p, n => n <= 0 ? n : alpha * n);

    private TwoSlopes Map(Converter<double, double> positive, Converter<double, double> negative) =>
        this with { Positive = Array.ConvertAll(Positive, positive), Negative = Array.ConvertAll(Negative, negative) };

    private TwoSlopes? Combine(TwoSlopes other, Func<double, double, double> positive, Func<double, double, double> negative)
    {
        if (Source != other.Source) return null;
        if (Shape.Length > 0 && other.Shape.Length > 0 && !Shape.AsSpan().SequenceEqual(other.Shape)) return null;
        return new TwoSlopes(
            Source,
            Each(Positive, other.Positive, positive),
            Each(Negative, other.Negative, negative),
            Shape.Length > 0 ? Shape : other.Shape,
            IsFloat || other.IsFloat);
    }

    private static double[] Each(double[] a, double[] b, Func<double, double, double> function) =>
    [
        .. Enumerable.Range(0, Math.Max(a.Length, b.Length))
            .Select(i => function(ChannelFunction.ValueOf(a, i, 0), ChannelFunction.ValueOf(b, i, 0)))
    ];
}
