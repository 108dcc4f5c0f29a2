namespace NestQuant.Passes.Integer.Values;

/// <summary>A uint8 tensor and what its integers stand for.</summary>
/// <param name="Name">Name of the uint8 value.</param>
/// <param name="Parameters">Its scale and zero point.</param>
internal sealed record QuantizedValue(string Name, QuantizationParameters Parameters);
