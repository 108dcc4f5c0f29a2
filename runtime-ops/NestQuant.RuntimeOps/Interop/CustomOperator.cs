using NestQuant.RuntimeOps.Schema;

namespace NestQuant.RuntimeOps.Interop;

/// <summary>An operator with one output, as ONNX Runtime sees it.</summary>
/// <param name="schema">Its inputs, attributes and output.</param>
internal abstract class CustomOperator(OperatorSchema schema)
{
    /// <summary>Its inputs, attributes and output.</summary>
    public OperatorSchema Schema { get; } = schema;

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
