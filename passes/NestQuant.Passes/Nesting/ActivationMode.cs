namespace NestQuant.Passes.Nesting;

/// <summary>How activations reach the nested operators.</summary>
public enum ActivationMode
{
    /// <summary>Float activations: weights are dequantized in front of the original operator.</summary>
    WeightOnly,

    /// <summary>Quantized at run time, per tensor, by DynamicQuantizeLinear.</summary>
    Dynamic,

    /// <summary>Quantized with ranges that are known when the model is compiled; what has none, at run time.</summary>
    Static,
}
