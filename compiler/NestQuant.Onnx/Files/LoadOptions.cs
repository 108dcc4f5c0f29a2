namespace NestQuant.Onnx.Files;

/// <summary>Options of loading.</summary>
public sealed record LoadOptions
{
    /// <summary>The defaults.</summary>
    internal static readonly LoadOptions Default = new();

    /// <summary>
    /// Whether files of external data may be symbolic links, or have more than one hard link. Refused by default, as by ONNX's own
    /// checker: a link put beside a model of unknown origin makes it read a file that is none of its own. Links that lead outside
    /// the model's folder are refused always; a model that is a link itself may have data beside its target.
    /// </summary>
    public bool AllowLinks { get; init; }
}
