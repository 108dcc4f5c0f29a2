using NestQuant.Data;
using NestQuant.Onnx;
using NestQuant.Onnx.Graph;

namespace NestQuant.Passes.Sampling;

/// <summary>
/// What may be fed to a model in the place of data. Integers that index a table, as token ids do, stay within its rows; masks are ones, so
/// that nothing is masked; floats are uniform in [-1, 1); other integers of a byte take all values, larger ones are 0, which is valid where
/// nothing is known.
/// </summary>
public static class SyntheticInputs
{
    /// <summary>Describes the values of every input that must be fed, in the model's order.</summary>
    /// <param name="model">The model.</param>
    /// <param name="extents">
    /// Extents of axes that the model leaves open, by their symbols or as <c>INPUT:AXIS</c>; the others get defaults: 224 in images, else
    /// 128.
    /// </param>
    /// <param name="batch">Extent of first axes that are open.</param>
    /// <exception cref="ModelException">An extent is for an axis that is not open, or an input cannot be fed.</exception>
    public static IReadOnlyList<SyntheticInput> Of(ModelProto model, IReadOnlyDictionary<string, int> extents, int batch)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(extents);
        IReadOnlyList<ModelInput> inputs = ModelInput.Of(model);
        IReadOnlyList<IReadOnlyList<long>> shapes = OpenAxes.Close(inputs, extents, batch);
        GraphView view = GraphView.Of(model.MainGraph());
        return [.. inputs.Zip(shapes, (input, shape) => Of(input, shape, view))];
    }

    private static SyntheticInput Of(ModelInput input, IReadOnlyList<long> shape, GraphView view)
    {
        (double low, double high) = input.Type switch
        {
            _ when input.Name.Contains("mask", StringComparison.OrdinalIgnoreCase) => (1.0, 1.0),
            NpyType.Int32 or NpyType.Int64 => (0, (IndexedTables.LeastRows(input.Name, view) ?? 1) - 1),
            NpyType.Boolean => (0, 1),
            NpyType.UInt8 => (byte.MinValue, byte.MaxValue),
            NpyType.Int8 => (sbyte.MinValue, sbyte.MaxValue),
            >= NpyType.Float16 => (-1, 1),
            _ => (0, 0),
        };
        return new SyntheticInput(input, shape, low, high);
    }
}
