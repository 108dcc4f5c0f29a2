using NestQuant.Onnx;
using NestQuant.Onnx.Graph;

namespace NestQuant.Data;

/// <summary>An input that a model must be fed, and the conversion of arrays to its type and shape.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Type">Its element type.</param>
/// <param name="Shape">Its extents, -1 where the model does not fix them.</param>
public sealed record ModelInput(string Name, NpyType Type, IReadOnlyList<long> Shape)
{
    /// <summary>The names of its axes where the model has symbols for them; null or left out for the others.</summary>
    public IReadOnlyList<string?> Axes { get; init; } = [];

    /// <summary>The samples that every run takes when the model fixes its first axis; null when it is open.</summary>
    public int? FixedBatch => Shape.Count > 0 && Shape[0] > 0 ? checked((int)Shape[0]) : null;

    /// <summary>Describes an input.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="type">Its element type; null when it is not a tensor.</param>
    /// <param name="shape">Its extents, negative where the model does not fix them.</param>
    /// <exception cref="ModelException">It cannot be fed from an array.</exception>
    public static ModelInput Of(string name, TensorDataType? type, IEnumerable<long> shape) =>
        type is { } given && NpyTypes.TryFromOnnx(given, out NpyType known)
            ? new ModelInput(name, known, [.. shape])
            : throw new ModelException($"input '{name}' is not a tensor of numbers and cannot be fed from an array");

    /// <summary>The inputs that a model declares and that must be fed, in its order.</summary>
    /// <exception cref="ModelException">One of them cannot be fed from an array.</exception>
    public static IReadOnlyList<ModelInput> Of(ModelProto model)
    {
        GraphView view = GraphView.Of(model.MainGraph());
        return [.. view.Graph.Input.Where(input => view.Initializer(input.Name) is null).Select(Of)];
    }

    /// <summary>The array that feeds an input: the one of its name, or the one at its position when arrays are unnamed.</summary>
    /// <param name="inputs">All inputs of the model, in its order.</param>
    /// <param name="input">One of them.</param>
    /// <param name="arrays">The available arrays.</param>
    /// <exception cref="ModelException">There is no such array.</exception>
    public static NpyArray Find(IReadOnlyList<ModelInput> inputs, ModelInput input, IReadOnlyList<NamedArray> arrays)
    {
        ArgumentNullException.ThrowIfNull(inputs);
        ArgumentNullException.ThrowIfNull(input);
        ArgumentNullException.ThrowIfNull(arrays);
        foreach (NamedArray array in arrays)
        {
            if (array.Name == input.Name)
                return array.Array;
        }

        int position = inputs.ToList().IndexOf(input);
        bool byPosition = arrays.Count == inputs.Count && arrays[position].Name is null;
        return byPosition
            ? arrays[position].Array
            : throw new ModelException(
                $"no data for input '{input.Name}': the model takes {string.Join(", ", inputs.Select(i => $"'{i.Name}'"))}");
    }

    /// <summary>The array in this input's type and shape.</summary>
    /// <remarks>
    /// Integers become floats where the model takes floats. Rows of another rank are reshaped when the model fixes all other extents
    /// and the number of elements is the same: [N, 64] and [N, 8, 8] both feed [N, 1, 8, 8].
    /// </remarks>
    /// <param name="array">Samples along its first axis.</param>
    /// <exception cref="ModelException">Values or shape do not fit.</exception>
    public NpyArray Fit(NpyArray array)
    {
        ArgumentNullException.ThrowIfNull(array);
        try
        {
            array = array.ConvertTo(Type);
        }
        catch (ModelException e)
        {
            throw new ModelException($"input '{Name}': {e.Message}", e);
        }

        return Matches(array.Shape) ? array : Reshaped(array);
    }

    private static ModelInput Of(ValueInfoProto input) =>
        Of(input.Name, input.Type?.TensorType?.ElemType, DimensionsOf(input).Select(static dim => dim.DimValue ?? -1)) with
        {
            Axes = [.. DimensionsOf(input).Select(static dim => dim.DimParam)],
        };

    private static List<TensorShapeProto.Dimension> DimensionsOf(ValueInfoProto input) => input.Type?.TensorType?.Shape?.Dim ?? [];

    private bool Matches(IReadOnlyList<long> shape)
    {
        if (shape.Count != Shape.Count)
            return false;
        for (int axis = 0; axis < shape.Count; axis++)
        {
            if (Shape[axis] >= 0 && Shape[axis] != shape[axis])
                return false;
        }

        return true;
    }

    private NpyArray Reshaped(NpyArray array)
    {
        long[] target = [.. Shape];
        if (target.Length > 1 && array.Shape.Count > 0 && target.Skip(1).All(extent => extent > 0))
        {
            target[0] = target[0] < 0 ? array.Shape[0] : target[0];
            if (target[0] == array.Shape[0] && target.Aggregate(1L, (product, extent) => product * extent) == array.Count)
                return array.Reshape(target);
        }

        string wanted = string.Join(", ", Shape.Select(extent => extent < 0 ? "?" : $"{extent}"));
        throw new ModelException($"input '{Name}' takes shape [{wanted}], the data has [{string.Join(", ", array.Shape)}]");
    }
}
