using NestQuant.Data;
using NestQuant.Onnx;
using NestQuant.Passes.Sampling;

namespace NestQuant.Evaluation.Benchmarking;

/// <summary>The inputs of measured runs: the same for every model, so that all do the same work.</summary>
internal static class BenchInputs
{
    private const int Seed = 1;

    /// <summary>Reads the files of the command line, and makes seeded values for inputs without one.</summary>
    /// <param name="model">The model.</param>
    /// <param name="options">Files, and the extents of open axes.</param>
    /// <returns>Unnamed arrays in the order of the inputs, so that models with other names can take them too.</returns>
    /// <exception cref="ModelException">A file or an extent does not fit.</exception>
    public static IReadOnlyList<NamedArray> Make(ModelProto model, BenchOptions options)
    {
        IReadOnlyList<ModelInput> inputs = ModelInput.Of(model);
        IReadOnlyList<NamedArray> files = InputArguments.Read(options.Inputs, inputs);
        NpyArray?[] given = [.. inputs.Select((input, i) => Given(files, input.Name, i))];
        IReadOnlyList<SyntheticInput> seeded = SyntheticInputs.Of(model, Extents(inputs, given, options.Extents), options.Batch);
        return [.. seeded.Select((input, i) => new NamedArray(null, given[i] ?? input.Make(Seed, run: 0, i)))];
    }

    private static NpyArray? Given(IReadOnlyList<NamedArray> files, string input, int position)
    {
        foreach (NamedArray file in files)
            if (file.Name == input) return file.Array;
        return position < files.Count && files[position].Name is null ? files[position].Array : null;
    }

    /// <summary>The extents asked for, and those that axes of the same symbol have in given arrays.</summary>
    private static Dictionary<string, int> Extents(
        IReadOnlyList<ModelInput> inputs, NpyArray?[] given, IReadOnlyDictionary<string, int> asked)
    {
        var extents = new Dictionary<string, int>(asked, StringComparer.Ordinal);
        for (int i = 0; i < given.Length; i++)
        {
            if (given[i]?.Shape is not { } shape || shape.Count != inputs[i].Shape.Count) continue;
            foreach ((string? symbol, long extent) in inputs[i].Axes.Zip(shape))
                if (symbol?.Length > 0) extents.TryAdd(symbol, checked((int)extent));
        }

        return extents;
    }
}
