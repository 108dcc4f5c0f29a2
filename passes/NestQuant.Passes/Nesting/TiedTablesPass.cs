using NestQuant.Compiler.Pipeline;
using NestQuant.Onnx;
using NestQuant.Onnx.Graph;

namespace NestQuant.Passes.Nesting;

/// <summary>
/// Tied embeddings: a model often multiplies, at its end, by the transpose of the table that it takes rows of at its start, and exporters
/// write the transpose as a constant of its own. The product then reads the table, so that both share what is nested.
/// <code>
/// e = Gather (W, i); y = MatMul (x, V)               V: W transposed
/// e = Gather (W, i); y = MatMul (x, Transpose (W))
/// </code>
/// </summary>
/// <remarks>After constant-folding, which would make a constant of the Transpose again.</remarks>
public sealed class TiedTablesPass : IGraphPass
{
    /// <inheritdoc/>
    public string Name => "tied-tables";

    /// <inheritdoc/>
    public PassResult Run(ModelContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        GraphView main = GraphView.Of(context.Model.MainGraph());
        var tables = new TransposedTables(main);
        var names = new UniqueNames(context.Model);
        bool changed = false;
        foreach (NodeProto product in main.Graph.Node.Where(static node => node.Is("MatMul")).ToArray())
        {
            string name = product.InputAt(1);
            if (main.Constant(name) is not { } weight || tables.Find(weight) is not { } tied) continue;
            var transpose = new NodeProto { OpType = "Transpose", Name = names.Next(tied.Name + "_transpose") };
            transpose.Input.Add(tied.Name);
            transpose.Output.Add(names.Next(tied.Name + "_transposed"));
            transpose.Attribute.Add(AttributeProto.IntList("perm", 1, 0));
            main.InsertBefore(product, transpose);
            main.SetInput(product, 1, transpose.Output[0]);
            context.Decisions.Rewritten(
                Name, product.DisplayName(), product.OpType, note: $"its weight '{name}' is the table '{tied.Name}' transposed");
            changed = true;
        }

        if (changed) DeadCode.Remove(main.Graph);
        return new PassResult(changed);
    }
}
