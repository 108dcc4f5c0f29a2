using NestQuant.Onnx;

namespace NestQuant.Passes.Nesting;

/// <summary>The activations that stay float for the sake of accuracy, with the reasons, for the passes that quantize activations.</summary>
internal sealed class GuardedActivations
{
    private readonly Dictionary<string, string> _values = new(StringComparer.Ordinal), _layers = new(StringComparer.Ordinal);

    /// <summary>Keeps a value float, and with it the layers that multiply it by weights.</summary>
    /// <param name="value">Name of the value.</param>
    /// <param name="layers">First results of the layers.</param>
    /// <param name="reason">Why.</param>
    public void Keep(string value, IEnumerable<string> layers, string reason)
    {
        _values[value] = reason;
        foreach (string layer in layers) _layers[layer] = reason;
    }

    /// <summary>Why a value stays float; null where it need not.</summary>
    public string? WhyFloat(string value) => _values.GetValueOrDefault(value);

    /// <summary>Why a layer is weight-only; null where it need not be.</summary>
    public string? WhyWeightOnly(NodeProto layer) => _layers.GetValueOrDefault(layer.Output[0]);
}
