namespace NestQuant.Passes.Export;

/// <summary>How a compiled model is written in operators of ONNX itself.</summary>
public sealed record ExportOptions
{
    /// <summary>The precision that the result has: n or h of the compiled model.</summary>
    public required int Bits { get; init; }
}
