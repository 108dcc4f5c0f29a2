using System.Globalization;
using McMaster.Extensions.CommandLineUtils;
using NestQuant.Compiler.Cli.Terminal;

namespace NestQuant.Compiler.Cli.Commands;

/// <summary>The option <c>--shape</c> of a command that makes values for a model's inputs.</summary>
internal sealed class ShapeOption(CommandLineApplication command)
{
    private readonly CommandOption _option = command.Option(
        "--shape <EXTENT>",
        "seeded values: NAME=EXTENT for the axes of a symbol that the model leaves open, as in sequence=64, or INPUT:AXIS=EXTENT for one; "
            + "repeatable; default 224 in images, else 128",
        CommandOptionType.MultipleValue);

    /// <summary>Whether it is given.</summary>
    public bool Given => _option.HasValue();

    /// <summary>Extents by symbols and axes.</summary>
    /// <exception cref="UsageException">A value has another form, or an axis is given twice.</exception>
    public IReadOnlyDictionary<string, int> Parse()
    {
        var extents = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (string? text in _option.Values)
        {
            int separator = text!.LastIndexOf('=');
            if (separator < 1
                || !int.TryParse(text.AsSpan(separator + 1), NumberStyles.None, CultureInfo.InvariantCulture, out int extent)
                || extent < 1)
                throw new UsageException($"--shape is '{text}': NAME=EXTENT is needed, for example sequence=64 or input_ids:1=64");
            if (!extents.TryAdd(text[..separator], extent))
                throw new UsageException($"--shape gives '{text[..separator]}' twice");
        }

        return extents;
    }
}
