namespace NestQuant.Compiler.Pipeline;

/// <summary>
/// One rewrite of a model. A pass matches by structure, never by node name; it leaves a valid, topologically ordered model; and
/// run on its own result it changes nothing.
/// </summary>
public interface IGraphPass
{
    /// <summary>Name in the decision log and in error messages.</summary>
    string Name { get; }

    /// <summary>Rewrites the context's model in place.</summary>
    /// <returns>Whether anything was changed.</returns>
    /// <exception cref="Onnx.ModelException">The model cannot be rewritten; the message says what, where and what to do.</exception>
    PassResult Run(ModelContext context);
}

/// <summary>Outcome of one run of a pass.</summary>
/// <param name="Changed">True when the model is different from before.</param>
public readonly record struct PassResult(bool Changed)
{
    /// <summary>The pass left the model as it was.</summary>
    public static PassResult Unchanged => new(Changed: false);
}
