using NestQuant.Data;
using NestQuant.Onnx;

namespace NestQuant.Evaluation;

/// <summary>The values of <c>--input</c>: <c>[NAME=]FILE</c>.</summary>
internal static class InputArguments
{
    /// <summary>The file that a value names.</summary>
    public static string PathOf(string input) => Split(input).Path;

    /// <summary>Reads the array for an input.</summary>
    /// <exception cref="ModelException">There is no such input or file, or the name is missing where the model has several
    /// inputs.</exception>
    public static NamedArray Read(string input, IReadOnlyList<ModelInput> inputs)
    {
        (string? name, string path) = Split(input);
        if (name is not null && inputs.All(known => known.Name != name))
            throw new ModelException(
                $"the model has no input '{name}': it takes {string.Join(", ", inputs.Select(known => $"'{known.Name}'"))}");
        if (name is null && inputs.Count > 1)
            throw new ModelException(
                $"input '{input}': the model has several inputs: write NAME={path} with one of "
                    + $"{string.Join(", ", inputs.Select(known => $"'{known.Name}'"))}");
        return new NamedArray(name, NpyArray.Read(path));
    }

    // A path may contain '=' too: the text before the first one is a name unless there is a file of the whole name.
    private static (string? Name, string Path) Split(string input)
    {
        int separator = input.IndexOf('=', StringComparison.Ordinal);
        return separator > 0 && !File.Exists(input) ? (input[..separator], input[(separator + 1)..]) : (null, input);
    }
}
