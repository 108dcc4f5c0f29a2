namespace NestQuant.Onnx.Files;

/// <summary>Where <see cref="ModelFile.Save(ModelProto, string, SaveOptions?, CancellationToken)"/> puts the content of tensors.</summary>
public enum ExternalDataMode
{
    /// <summary>
    /// As in the model: tensors with an <see cref="TensorProto.ExternalGroup"/> go to that group's file, other external tensors to
    /// <c>X.onnx.data</c>, and the rest stays inside. When the file would then exceed 2 GB, as <see cref="Always"/>.
    /// </summary>
    Auto,

    /// <summary>Everything inside the file, groups included; fails when it would exceed 2 GB.</summary>
    Never,

    /// <summary>As <see cref="Auto"/>, and every other tensor of at least 1 KiB goes to <c>X.onnx.data</c>.</summary>
    Always,
}

/// <summary>Options of saving.</summary>
public sealed record SaveOptions
{
    /// <summary>Where tensor content goes.</summary>
    public ExternalDataMode ExternalData { get; init; } = ExternalDataMode.Auto;

    /// <summary>
    /// First part of the names of group files: <c>digits</c> gives <c>digits.high.bin</c>. Null takes the model file's own name
    /// without <c>.onnx</c>. Two models saved together with the same stem share the files and the tensors that they have in common.
    /// </summary>
    public string? ExternalStem { get; init; }
}

/// <summary>One model of several that are saved together.</summary>
/// <param name="Model">The model, which is not changed.</param>
/// <param name="Path">Path of the file to write.</param>
/// <param name="Options">How; null means the defaults.</param>
public sealed record ModelToSave(ModelProto Model, string Path, SaveOptions? Options = null);
