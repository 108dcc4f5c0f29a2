using NestQuant.Onnx;

namespace NestQuant.Passes.HalfPrecision;

/// <summary>What the pass that makes a model compute in float32 leaves for the one that stores what is left in 16 bits again.</summary>
/// <param name="Types">The types that the model had.</param>
internal sealed record StoredHalves(IReadOnlyCollection<TensorDataType> Types);
