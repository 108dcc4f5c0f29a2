using System.Globalization;
using McMaster.Extensions.CommandLineUtils;
using NestQuant.Compiler.Cli.Terminal;
using NestQuant.Data;
using NestQuant.Evaluation;
using NestQuant.Onnx;

namespace NestQuant.Compiler.Cli.Commands;

/// <summary>The options <c>--size</c>, <c>--mean</c> and <c>--std</c> of a command that reads pictures for a model.</summary>
internal sealed class PictureOptions(CommandLineApplication command)
{
    private readonly CommandOption _size = command.Option(
        "--size <PIXELS>", "pictures: N or HxW: scale to this many pixels; default: what the model takes", CommandOptionType.SingleValue);
    private readonly CommandOption _mean = command.Option(
        "--mean <LIST>",
        "pictures: subtracted from values in [0, 1], one number or one per channel; default 0",
        CommandOptionType.SingleValue);
    private readonly CommandOption _std = command.Option(
        "--std <LIST>", "pictures: divides the difference, one number or one per channel; default 1", CommandOptionType.SingleValue);

    /// <summary>Whether any of them is given.</summary>
    public bool Given => _size.HasValue() || _mean.HasValue() || _std.HasValue();

    /// <summary>What they say.</summary>
    /// <exception cref="UsageException">One has an impossible value.</exception>
    public PictureArguments Parse() => new(PictureArguments.ParseSize(_size.Text()), _mean.Numbers(), _std.Numbers());
}

/// <summary>How pictures are to be read.</summary>
/// <param name="Size">Extents to scale to; null for those that the model takes.</param>
/// <param name="Mean">Subtracted; null for 0.</param>
/// <param name="Deviation">Divides; null for 1.</param>
internal sealed record PictureArguments((int Height, int Width)? Size, IReadOnlyList<float>? Mean, IReadOnlyList<float>? Deviation)
{
    /// <summary>Opens data for a model, pictures or not.</summary>
    /// <exception cref="ModelException">There is no such data, or it is damaged.</exception>
    public Dataset Open(IReadOnlyList<string> sources, ModelProto model) =>
        Dataset.Open(sources, new DatasetOptions { Image = ModelPictures.For(ModelInput.Of(model), Size, Mean, Deviation) });

    /// <summary>Random images for a model, normalised where a mean or a deviation is given.</summary>
    /// <exception cref="ModelException">The model does not take an image of known size.</exception>
    public Dataset Synthesise(ModelProto model) => new SyntheticImages(
        ModelInput.Of(model),
        Size,
        Mean is null && Deviation is null ? null : new ImageOptions { Mean = Mean ?? [0f], Deviation = Deviation ?? [1f] });

    /// <summary>Reads <c>N</c> or <c>HxW</c>; null when the text is null.</summary>
    /// <exception cref="UsageException">The text is something else.</exception>
    public static (int Height, int Width)? ParseSize(string? text)
    {
        if (text is null)
            return null;
        string[] parts = text.Split('x');
        int[] extents =
        [
            .. parts.Select(part => int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out int extent) ? extent : 0)
        ];
        if (extents.Length > 2 || extents.Any(extent => extent is < 1 or > ModelPictures.MaxExtent))
            throw new UsageException($"--size is '{text}': a number of pixels or HxW is needed, for example 224");
        return (extents[0], extents[^1]);
    }
}
