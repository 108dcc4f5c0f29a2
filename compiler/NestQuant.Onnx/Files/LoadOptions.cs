namespace NestQuant.Onnx.Files;

/// <summary>Options of loading.</summary>
public sealed record LoadOptions
{
    /// <summary>The defaults.</summary>
    internal static readonly LoadOptions Default = new();

    /// <summary>
    /// Whether files of external data may be symbolic links, or have more than one hard link. Refused by default, as by ONNX's own
    /// checker: through a link, a model of unknown origin can read files that do not belong to it. Links that lead outside the model's
    /// folder are always refused; a model that is itself a link may have data beside its target.
    /// </summary>
    public bool AllowLinks { get; init; }
}
