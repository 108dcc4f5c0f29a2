using NestQuant.Compiler.Pipeline;
using NestQuant.Onnx.Graph;

namespace NestQuant.Passes.Cleanup;

/// <summary>
/// Makes the initializers of a model below IR version 4 constant. Such a model must list every initializer as a graph input too, although a
/// caller cannot feed it; in later versions such an input means "a caller may replace it".
/// <code>
/// IR 3: f (x, W) with initializer W
/// IR 4: f (x)    with initializer W
/// </code>
/// </summary>
public sealed class InitializerInputsPass : IGraphPass
{
    private const int FirstVersionWithConstants = 4;

    /// <inheritdoc/>
    public string Name => "initializer-inputs";

    /// <inheritdoc/>
    public PassResult Run(ModelContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        if (context.Model.IrVersion is null or >= FirstVersionWithConstants) return PassResult.Unchanged;
        foreach (GraphView view in GraphView.Of(context.Model.MainGraph()).WithInner())
            view.Graph.Input.RemoveAll(input => view.Initializer(input.Name) is not null);
        context.Model.IrVersion = FirstVersionWithConstants;
        return new PassResult(Changed: true);
    }
}
