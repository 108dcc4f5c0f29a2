using NestQuant.Onnx.Graph;

namespace NestQuant.Onnx.Files;

/// <summary>Copies of models.</summary>
public static class ModelCopy
{
    /// <summary>A deep copy of everything but the main graph's initializers, which hold nearly all bytes: the copy has none.</summary>
    /// <param name="model">The model, which is not changed.</param>
    /// <returns>The copy; external tensors are stored inside it.</returns>
    public static ModelProto WithoutInitializers(ModelProto model)
    {
        ArgumentNullException.ThrowIfNull(model);
        ModelProto shell = model.ShallowCopy();
        shell.Graph = model.MainGraph().ShallowCopy();
        shell.Graph.Initializer = [];
        return ModelCodec.Read(ModelFile.ToBytes(shell));
    }
}
