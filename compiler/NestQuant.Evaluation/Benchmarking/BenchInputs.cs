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
            IReadOnlyList<long> shape = given[i]?.Shape ?? [];
            for (int axis = 0; axis < Math.Min(shape.Count, inputs[i].Axes.Count); axis++)
                if (inputs[i].Shape[axis] < 0 && inputs[i].Axes[axis] is { Length: > 0 } symbol)
                    extents.TryAdd(symbol, checked((int)shape[axis]));
        }

        return extents;
    }
}
