using NestQuant.Onnx;
using NestQuant.Onnx.Graph;

namespace NestQuant.Passes.Nesting;

/// <summary>
/// The constant float matrices that a graph takes rows of, found by their transposes: each content is looked at once, however many have
/// the same shape.
/// </summary>
internal sealed class TransposedTables
{
    private readonly ILookup<(long Rows, long Columns), TensorProto> _tables;
    private readonly Dictionary<(long Rows, long Columns), Dictionary<string, TensorProto>> _transposes = [];

    private readonly Dictionary<TensorProto, TensorProto?> _found = new(ReferenceEqualityComparer.Instance);

    /// <summary>Looks for the tables.</summary>
    public TransposedTables(GraphView view) => _tables =
        view.Graph.Node.Where(static node => node.Is("Gather")).Select(node => view.Constant(node.InputAt(0))).OfType<TensorProto>()
            .Distinct().Where(IsMatrix).ToLookup(static table => (table.Dims[1], table.Dims[0]));

    /// <summary>The table whose transpose a weight is; null where there is none.</summary>
    public TensorProto? Find(TensorProto weight)
    {
        if (!_found.TryGetValue(weight, out TensorProto? table)) _found[weight] = table = Search(weight);
        return table;
    }

    private TensorProto? Search(TensorProto weight)
    {
        if (!IsMatrix(weight)) return null;
        (long Rows, long Columns) shape = (weight.Dims[0], weight.Dims[1]);
        if (!_tables.Contains(shape)) return null;
        if (!_transposes.TryGetValue(shape, out Dictionary<string, TensorProto>? transposes))
        {
            _transposes[shape] = transposes = new(StringComparer.Ordinal);
            foreach (TensorProto table in _tables[shape]) transposes.TryAdd(ContentHash.Of(Transposed(table)), table);
        }

        return transposes.TryGetValue(ContentHash.Of(weight), out TensorProto? tied) && tied != weight ? tied : null;
    }

    private static bool IsMatrix(TensorProto tensor) => tensor is { DataType: TensorDataType.Float, Dims.Count: 2 };

    private static TensorProto Transposed(TensorProto table)
    {
        float[] values = table.ToFloats(), transposed = new float[values.Length];
        int rows = (int)table.Dims[0], columns = (int)table.Dims[1];
        for (int row = 0; row < rows; row++)
            for (int column = 0; column < columns; column++) transposed[(column * rows) + row] = values[(row * columns) + column];
        return TensorProto.FromFloats(table.Name, [columns, rows], transposed);
    }
}
