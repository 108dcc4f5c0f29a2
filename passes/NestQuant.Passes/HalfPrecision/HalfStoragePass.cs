using NestQuant.Compiler.Pipeline;
using NestQuant.Onnx;
using NestQuant.Onnx.Graph;

namespace NestQuant.Passes.HalfPrecision;

/// <summary>
/// Stores the float32 tensors of a model that came in 16 bits in that type again, where no value changes by it.
/// <code>
/// y = Add (x, B)                                   with B in float32
/// y = Add (x, Cast &lt;to = float&gt; (B_half))     with B_half in float16
/// </code>
/// </summary>
/// <remarks>
/// ONNX Runtime folds the casts when it loads the model. Only nodes of ONNX's own operators get one: others demand constants. The pass
/// logs no decisions.
/// </remarks>
public sealed class HalfStoragePass : IGraphPass
{
    /// <summary>Smaller tensors stay: a node in every graph takes as many bytes as they would save.</summary>
    internal const long SmallestBytes = 1024;

    /// <inheritdoc/>
    public string Name => "half-storage";

    /// <inheritdoc/>
    public PassResult Run(ModelContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        if (context.Find<StoredHalves>() is not { } halves) return PassResult.Unchanged;
        var names = new UniqueNames(context.Model);
        bool changed = false;
        foreach (GraphView view in GraphView.Of(context.Model.MainGraph()).WithInner())
            foreach (TensorProto tensor in view.Graph.Initializer.Where(tensor => IsStorable(tensor, view)).ToArray())
                changed |= Store(tensor, halves, view, names);
        return new PassResult(changed);
    }

    /// <summary>Whether a node widens a constant that is stored in 16 bits: ONNX Runtime does that as it loads the model.</summary>
    internal static bool IsStored(NodeProto node, GraphView view) =>
        node.Is("Cast")
            && node.GetInt("to", 0) == (long)TensorDataType.Float
            && view.Constant(node.Input[0]) is { } tensor
            && HalfTensor.IsHalf(tensor.DataType)
            && 2 * tensor.ByteCount >= SmallestBytes;

    private static bool IsStorable(TensorProto tensor, GraphView view) =>
        tensor.DataType == TensorDataType.Float
            && tensor.ByteCount >= SmallestBytes
            && !view.IsInput(tensor.Name)
            && !view.IsOutput(tensor.Name)
            && view.Consumers(tensor.Name) is { Count: > 0 } readers
            && readers.All(static reader => reader.IsDefaultDomain());

    private static bool Store(TensorProto tensor, StoredHalves halves, GraphView view, UniqueNames names)
    {
        string value = tensor.Name;
        if (halves.Narrow(tensor, value) is not { } half) return false;
        half.Name = names.Next(value + "_half");
        NodeProto first = view.Consumers(value)[0];
        view.RemoveInitializer(value);
        view.AddInitializer(half);
        view.InsertBefore(first, HalfTensor.Cast(half.Name, value, TensorDataType.Float, names));
        return true;
    }
}
