using NestQuant.Onnx;

namespace NestQuant.Passes.HalfPrecision;

/// <summary>What the pass that makes a model compute in float32 leaves for later ones.</summary>
/// <param name="Types">The types of 16 bits that the model had.</param>
internal sealed record StoredHalves(IReadOnlyCollection<TensorDataType> Types)
{
    /// <summary>A float32 tensor in a type that the model had, under another name; null where a value would change.</summary>
    public TensorProto? Narrow(TensorProto tensor, string name) =>
        Types.Order().Select(type => HalfTensor.Narrow(tensor, type, name)).FirstOrDefault(static half => half is not null);

    /// <summary>Bytes of a float32 tensor in the source model.</summary>
    public long SourceBytes(TensorProto tensor) => Narrow(tensor, tensor.Name)?.ByteCount ?? tensor.ByteCount;
}
