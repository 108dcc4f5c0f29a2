using NestQuant.Onnx;
using NestQuant.Onnx.Graph;
using NestQuant.Passes.Operators;

namespace NestQuant.Passes.Nesting;

/// <summary>
/// Results of convolutions that are outputs of the graph and read by an Add: where the weight is no constant, ONNX Runtime fuses the two
/// and the output is gone. An Identity in between keeps it.
/// <code>
/// y = Conv (x, w); z = Add (y, b)
/// y_inner = Conv (x, w); y = Identity (y_inner); z = Add (y_inner, b)
/// </code>
/// </summary>
internal static class ConvolutionOutputs
{
    /// <summary>
    /// Whether an Identity that makes an output of a value has to stay: the value is the result of a Conv with a nested weight, and added.
    /// </summary>
    public static bool IsKeptApart(string value, GraphView view) =>
        IsAdded(value, view)
            && view.Producer(value)!.InputAt(1) is var weight
            && view.Owner(weight)?.Producer(weight) is { } dequantize
            && dequantize.IsNested();

    /// <summary>Puts an Identity behind the node that makes a value, where that is needed.</summary>
    public static void KeepApart(string value, GraphView view, UniqueNames names)
    {
        if (!view.IsOutput(value) || !IsAdded(value, view)) return;
        string inner = names.Next(value + "_inner");
        view.RenameProduced(value, inner);
        var identity = new NodeProto { OpType = "Identity", Name = names.Next(value + "_identity") };
        identity.Input.Add(inner);
        identity.Output.Add(value);
        view.Append(identity);
    }

    private static bool IsAdded(string value, GraphView view) =>
        view.Producer(value) is { } conv && conv.Is("Conv") && view.Consumers(value).Any(static reader => reader.Is("Add"));
}
