using NestQuant.Compiler.Pipeline;
using NestQuant.Onnx;
using NestQuant.Passes.Nesting;

namespace NestQuant.Passes;

/// <summary>A compiled model and what was decided on the way.</summary>
/// <param name="Model">The model; its packed operands are in the external groups "high" and "low".</param>
/// <param name="Decisions">What every pass did with every candidate.</param>
public sealed record CompileResult(ModelProto Model, DecisionLog Decisions)
{
    /// <summary>The same graph without the low operands, at part precision; null when nothing was nested.</summary>
    public ModelProto? CreatePartModel() => PartModel.From(Model);
}
