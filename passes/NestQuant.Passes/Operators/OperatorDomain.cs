using NestQuant.Onnx;
using NestQuant.RuntimeOps;

namespace NestQuant.Passes.Operators;

/// <summary>The domain of the operators that the passes emit.</summary>
internal static class OperatorDomain
{
    /// <summary>First IR version in which an initializer may be left out of, or added to, the graph inputs at will.</summary>
    private const int FirstIrVersion = 4;

    /// <summary>Makes a model import the domain, and have the IR version that emitted initializers need.</summary>
    public static void Import(ModelProto model)
    {
        model.IrVersion = Math.Max(model.IrVersion ?? 0, FirstIrVersion);
        if (!model.OpsetImport.Exists(static opset => opset.Domain == NestQuantOps.Domain))
            model.OpsetImport.Add(new OperatorSetIdProto { Domain = NestQuantOps.Domain, Version = NestQuantOps.Version });
    }
}
