namespace NestQuant.RuntimeOps.Schema;

/// <summary>Values of the attribute <see cref="AttributeNames.Activation"/>.</summary>
internal static class ActivationNames
{
    /// <summary>No activation.</summary>
    public const string None = "none";

    /// <summary>
    /// ONNX Clip between <see cref="AttributeNames.ActivationMin"/> and <see cref="AttributeNames.ActivationMax"/>; Relu is the clip from
    /// 0 on.
    /// </summary>
    public const string Clip = "clip";

    /// <summary>ONNX HardSwish: y * max(0, min(1, y / 6 + 0.5)).</summary>
    public const string HardSwish = "hardswish";
}
