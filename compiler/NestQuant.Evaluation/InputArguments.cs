using NestQuant.Data;
using NestQuant.Onnx;

namespace NestQuant.Evaluation;

/// <summary>
/// The values of <c>--input</c>: <c>NAME=FILE.npy</c> for an input, a folder of <c>.npy</c> files or a <c>.npz</c> archive with arrays for
/// inputs of their names, or files without names for all inputs in the model's order.
/// </summary>
internal static class InputArguments
{
    /// <summary>The file, folder or archive that a value names.</summary>
    public static string PathOf(string input) => NamedFile.Parse(input).Path;

    /// <summary>Reads arrays for the inputs of a model, not necessarily for all.</summary>
    /// <exception cref="ModelException">There is no such input or file, or a name is missing.</exception>
    public static IReadOnlyList<NamedArray> Read(IReadOnlyList<string> arguments, IReadOnlyList<ModelInput> inputs)
    {
        NamedArray[] arrays = [.. arguments.SelectMany(Read)];
        // A single array for a single input may have any name (NumPy's own is arr_0), unless the command line gives it.
        if (inputs.Count == 1 && arrays.Length == 1 && NamedFile.Parse(arguments[0]).Name is null)
            return [arrays[0] with { Name = null }];
        string known = string.Join(", ", inputs.Select(input => $"'{input.Name}'"));
        foreach (NamedArray array in arrays)
        {
            if (array.Name is { } name && inputs.All(input => input.Name != name))
                throw new ModelException($"the model has no input '{name}': it takes {known}");
        }

        bool areNamed = arrays.All(static array => array.Name is not null);
        bool areInOrder = arrays.Length == inputs.Count && arrays.All(static array => array.Name is null);
        return areNamed || areInOrder
            ? arrays
            : throw new ModelException(
                $"'{string.Join(' ', arguments)}': the model has {inputs.Count} inputs: write NAME=FILE with one of {known}, "
                    + "or give a file for each in this order");
    }

    private static IReadOnlyList<NamedArray> Read(string argument)
    {
        NamedFile file = NamedFile.Parse(argument);
        if (file.Name is not null)
            return [new NamedArray(file.Name, NpyArray.Read(file.Path))];
        using ArrayFiles arrays = ArrayFiles.Open(file.Path);
        return arrays.ReadAll();
    }
}
