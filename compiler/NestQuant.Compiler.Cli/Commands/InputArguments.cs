using NestQuant.Compiler.Cli.Evaluation;
using NestQuant.Compiler.Data;
using NestQuant.Compiler.Onnx;

namespace NestQuant.Compiler.Cli.Commands;

/// <summary>The values of <c>--input</c>: <c>[NAME=]FILE</c>.</summary>
internal static class InputArguments
{
    /// <summary>Reads the array for an input.</summary>
    /// <exception cref="ModelException">There is no such input or file, or the name is missing where the model has several inputs.</exception>
    public static NamedArray Read(string input, IReadOnlyList<ModelInput> inputs)
    {
        // A path may contain '=' too: the text before the first one is a name only when the model has such an input.
        int separator = input.IndexOf('=', StringComparison.Ordinal);
        string? name = separator > 0 && !File.Exists(input) ? input[..separator] : null;
        if (name is not null && inputs.All(known => known.Name != name))
            throw new ModelException($"the model has no input '{name}': it takes {string.Join(", ", inputs.Select(known => $"'{known.Name}'"))}");
        string path = name is null ? input : input[(separator + 1)..];
        if (name is null && inputs.Count > 1)
            throw new ModelException($"--input {input}: the model has several inputs: write NAME={path} with one of {string.Join(", ", inputs.Select(known => $"'{known.Name}'"))}");
        return new NamedArray(name, NpyArray.Read(path));
    }
}
