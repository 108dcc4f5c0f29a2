namespace NestQuant.RuntimeOps.Interop;

/// <summary>An input of an operator.</summary>
/// <param name="Name">Its name, for messages and documentation.</param>
/// <param name="Type">Its element type.</param>
/// <param name="IsOptional">Whether a node may leave it out.</param>
internal readonly record struct OperatorInput(string Name, ElementType Type, bool IsOptional = false);

/// <summary>An operator with one output, as ONNX Runtime sees it.</summary>
internal abstract class CustomOperator
{
    /// <summary>The operator's type.</summary>
    public abstract string Name { get; }

    /// <summary>The inputs in order.</summary>
    public abstract IReadOnlyList<OperatorInput> Inputs { get; }

    /// <summary>The output's element type.</summary>
    public virtual ElementType OutputType => ElementType.Float;

    /// <summary>Creates the kernel of one node; throws <see cref="OperatorException"/> when its attributes are not valid.</summary>
    public abstract CustomKernel CreateKernel(in KernelInfo info);

    /// <summary>States the output's shape when the inputs' shapes and the attributes give it.</summary>
    public abstract void InferShape(in ShapeInference inference);
}

/// <summary>The kernel of one node. <see cref="Compute"/> may be called by several threads at once.</summary>
internal abstract class CustomKernel
{
    /// <summary>Runs the node; throws <see cref="OperatorException"/> when its inputs are not valid.</summary>
    public abstract void Compute(in KernelContext context);
}
