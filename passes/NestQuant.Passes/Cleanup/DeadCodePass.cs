using NestQuant.Compiler.Pipeline;
using NestQuant.Onnx.Graph;

namespace NestQuant.Passes.Cleanup;

/// <summary>Removes nodes and initializers that no graph output depends on.</summary>
public sealed class DeadCodePass : IGraphPass
{
    /// <inheritdoc/>
    public string Name => "dead-code";

    /// <inheritdoc/>
    public PassResult Run(ModelContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        return new PassResult(DeadCode.Remove(context.Model.MainGraph()));
    }
}
