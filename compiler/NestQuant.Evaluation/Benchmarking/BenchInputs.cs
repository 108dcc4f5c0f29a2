using NestQuant.Data;
using NestQuant.Onnx;

namespace NestQuant.Evaluation.Benchmarking;

/// <summary>The inputs of measured runs: the same for every model, so that all do the same work.</summary>
internal static class BenchInputs
{
    private const int Seed = 1;

    /// <summary>
    /// Reads the files of the command line, or makes seeded values: floats uniform in [-1, 1), and zeros, which are valid as indices, for
    /// all other types.
    /// </summary>
    /// <param name="inputs">What the model takes.</param>
    /// <param name="options">Files, and the extent of an open first axis.</param>
    /// <returns>Unnamed arrays in the order of the inputs, so that models with other names can take them too.</returns>
    /// <exception cref="ModelException">A file does not fit, or the model leaves another axis open.</exception>
    public static IReadOnlyList<NamedArray> Make(IReadOnlyList<ModelInput> inputs, BenchOptions options)
    {
        NamedArray[] files = [.. options.Inputs.Select(input => InputArguments.Read(input, inputs))];
        var random = new Random(Seed);
        return [
            .. inputs.Select(
                input =>
                    new NamedArray(null, files.Length > 0 ? ModelInput.Find(inputs, input, files) : Random(input, options.Batch, random)))
        ];
    }

    private static NpyArray Random(ModelInput input, int batch, Random random)
    {
        long[] shape = [.. input.Shape];
        if (shape.Length > 0 && shape[0] < 0)
            shape[0] = batch;
        if (shape.Any(extent => extent < 0))
        {
            string extents = string.Join(", ", input.Shape.Select(extent => extent < 0 ? "?" : $"{extent}"));
            throw new ModelException(
                $"input '{input.Name}' leaves the extents of its shape [{extents}] open: "
            + $"give data for it, {input.Name}=FILE.npy");
        }

        long count = shape.Aggregate(1L, (product, extent) => checked(product * extent));
        if (input.Type != NpyType.Float32)
            return new NpyArray(input.Type, shape, new byte[checked(count * input.Type.Size())]);
        float[] values = new float[count];
        foreach (ref float value in values.AsSpan())
            value = 2 * random.NextSingle() - 1;
        return NpyArray.FromFloats(shape, values);
    }
}
