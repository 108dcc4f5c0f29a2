using NestQuant.Onnx;

namespace NestQuant.Data;

/// <summary>Which values are made for an input of a model in the place of data.</summary>
/// <param name="Input">The input.</param>
/// <param name="Shape">Its extents, all of them known.</param>
/// <param name="Low">The least value.</param>
/// <param name="High">The greatest value of an integer or a bool; floats stay below it unless it is <paramref name="Low"/>.</param>
public sealed record SyntheticInput(ModelInput Input, IReadOnlyList<long> Shape, double Low, double High)
{
    /// <summary>Values that depend on the seed, the run and the position of the input alone.</summary>
    /// <exception cref="ModelException">The shape is too large.</exception>
    internal NpyArray Make(long seed, long run, int position)
    {
        Int128 count = Shape.Aggregate((Int128)1, static (product, extent) => product * extent);
        if (count * sizeof(double) > Array.MaxLength)
            throw new ModelException(
                $"input '{Input.Name}': values of shape [{string.Join(", ", Shape)}] are too many: give a smaller shape");
        var random = new RandomStream(seed, run, "values", position);
        var values = new double[(int)count];
        bool isInteger = Input.Type < NpyType.Float16;
        foreach (ref double value in values.AsSpan())
            value = isInteger ? Math.Floor(random.Uniform(Low, High + 1)) : random.Uniform(Low, High);
        return isInteger
            ? NpyArray.FromInt64s(Shape, Array.ConvertAll(values, static value => (long)value)).ConvertTo(Input.Type)
            : NpyArray.From<double>(NpyType.Float64, Shape, values).ConvertTo(Input.Type);
    }
}
