using System.Globalization;
using NestQuant.Compiler.Pipeline;
using NestQuant.Onnx;
using NestQuant.Onnx.Graph;
using NestQuant.Passes.Operators;

namespace NestQuant.Passes.Cleanup;

/// <summary>
/// Makes sparse weights dense, so that they nest.
/// <code>
/// y = MatMul (x, W)     with a sparse initializer W
/// y = MatMul (x, W)     with a dense one
/// </code>
/// </summary>
/// <remarks>
/// ONNX Runtime makes sparse initializers dense itself when it loads a model. A weight whose values and positions take less room than its
/// integers would stays, and so does what no operator reads whose weights nest.
/// </remarks>
public sealed class SparseWeightsPass : IGraphPass
{
    /// <inheritdoc/>
    public string Name => "sparse-weights";

    /// <inheritdoc/>
    public PassResult Run(ModelContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        bool changed = false;
        foreach (GraphView view in GraphView.Of(context.Model.MainGraph()).WithInner())
            foreach (SparseTensorProto sparse in view.Graph.SparseInitializer.ToArray())
            {
                string name = sparse.Values!.Name;
                if (!view.Consumers(name).Any(WeightOperators.Include)) continue;
                if (WhyKept(sparse) is { } reason)
                {
                    context.Decisions.Kept(Name, name, "sparse", reason);
                    continue;
                }

                view.Graph.SparseInitializer.Remove(sparse);
                view.Graph.Initializer.Add(Dense(sparse));
                context.Decisions.Rewritten(Name, name, "sparse");
                changed = true;
            }

        return new PassResult(changed);
    }

    private static string? WhyKept(SparseTensorProto sparse)
    {
        int bits = sparse.Values!.DataType.BitsPerElement();
        if (bits < 8) return "its elements are no whole bytes";
        long elements = Elements(sparse), stored = sparse.Values.ByteCount + sparse.Indices!.ByteCount;
        // A nested weight takes a byte or a little more for each element.
        return elements <= stored && elements <= Array.MaxLength / (bits / 8)
            ? null
            : string.Create(CultureInfo.InvariantCulture, $"it takes {stored} bytes sparse, and has {elements} elements");
    }

    private static TensorProto Dense(SparseTensorProto sparse)
    {
        TensorProto values = sparse.Values!;
        int size = values.DataType.BitsPerElement() / 8, rank = sparse.Dims.Count;
        var bytes = new byte[checked(Elements(sparse) * size)];
        ReadOnlySpan<byte> stored = values.GetBytes().Span;
        long[] indices = sparse.Indices!.ToInt64s();
        bool isFlat = sparse.Indices.Dims.Count == 1;
        for (int i = 0; i < values.Dims[0]; i++)
        {
            long position = isFlat ? indices[i] : Position(indices.AsSpan(i * rank, rank), sparse.Dims);
            if (position < 0 || position >= bytes.Length / size)
                throw new ModelException($"sparse tensor '{values.Name}' has a value outside of its shape, at position {i} of its indices");
            stored.Slice(i * size, size).CopyTo(bytes.AsSpan(checked((int)(position * size))));
        }

        return TensorProto.FromBytes(values.Name, values.DataType, [.. sparse.Dims], bytes);
    }

    private static long Position(ReadOnlySpan<long> index, List<long> dims)
    {
        long position = 0;
        for (int axis = 0; axis < index.Length; axis++)
        {
            if (index[axis] < 0 || index[axis] >= dims[axis]) return -1;
            position = (position * dims[axis]) + index[axis];
        }

        return position;
    }

    private static long Elements(SparseTensorProto sparse)
    {
        long elements = 1;
        foreach (long dim in sparse.Dims) elements = checked(elements * dim);
        return elements;
    }
}
