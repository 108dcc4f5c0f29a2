using NestQuant.Onnx;
using NestQuant.Onnx.Graph;

namespace NestQuant.Passes.Integer.Layout;

/// <summary>How an operator that can work on either order of axes is converted from one to the other.</summary>
internal abstract class LayoutRule
{
    /// <summary>Whether this node can be converted.</summary>
    /// <param name="node">The node.</param>
    /// <param name="rank">Rank of all its data inputs, at least 3.</param>
    /// <param name="view">The graph.</param>
    public virtual bool Applies(NodeProto node, int rank, GraphView view) => true;

    /// <summary>Indices of the inputs whose axes are those of the tensor; the others are parameters.</summary>
    public virtual IEnumerable<int> DataInputs(NodeProto node) => [0];

    /// <summary>Number of leading outputs whose axes are those of the tensor.</summary>
    public virtual int DataOutputs(NodeProto node) => 1;

    /// <summary>
    /// Whether the operator is the same in either order of axes; false where channels last is another operator, or an attribute.
    /// </summary>
    public virtual bool KeepsOperator => true;

    /// <summary>Adapts a copy of a node, whose data inputs and outputs have already been replaced, to the new order.</summary>
    /// <param name="node">The copy.</param>
    /// <param name="change">The change; from channels last to channels first only where the rule <see cref="KeepsOperator"/>.</param>
    /// <param name="view">The graph that the node's constants are in.</param>
    public virtual void ChangeLayout(NodeProto node, LayoutChange change, GraphView view)
    {
    }
}
