using NestQuant.Compiler.Pipeline;
using NestQuant.Onnx;
using NestQuant.Onnx.Graph;
using NestQuant.Passes.GroupNL.Recognition;
using NestQuant.Passes.Operators;
using NestQuant.RuntimeOps.Schema;

namespace NestQuant.Passes.GroupNL;

/// <summary>
/// Replaces a GroupNL block (arXiv 2506.12335), as exporters write it, by one operator, and moves the batch normalisation and the
/// activation after it into the operator.
/// <code>
/// n = Div (x, Clip (ReduceL2 (x), epsilon)); g = Sin (Mul (Sub (maps of n, shift), period)); y = Concat (n, g)
/// y = com.nestquant.GroupNLExpand &lt;source = [...]&gt; (x, shift, period)
/// </code>
/// </summary>
/// <remarks>
/// "maps of n" is any arrangement of the maps of n along the channels: Split into groups, Tile, Concat, Slice, Gather and channel shuffles,
/// before or after the sine, which stands for any function of <see cref="FunctionTrace"/>. Shift and period must be constants, which they
/// are in an exported model after constant folding. The seed maps may come from any node. A normalisation that leads to a function but is
/// not part of a GroupNL block stays, and the decision log says why.
/// </remarks>
public sealed class GroupNLFusePass : IGraphPass
{
    /// <inheritdoc/>
    public string Name => "groupnl-fusion";

    /// <inheritdoc/>
    public PassResult Run(ModelContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        var names = new UniqueNames(context.Model);
        bool changed = false;
        foreach (GraphView view in GraphView.Of(context.Model.MainGraph()).WithInner())
            foreach (SeedNormalisation start in Candidates(view)) changed |= Fuse(start, view, names, context);

        LogFunctions(context);
        if (changed)
        {
            OperatorDomain.Import(context.Model);
            DeadCode.Remove(context.Model.MainGraph());
        }

        return new PassResult(changed);
    }

    private static SeedNormalisation[] Candidates(GraphView view) =>
    [
        .. from node in view.Graph.Node
           let start = SeedNormalisation.EndingIn(node, view)
           where start is not null && ExpansionBlock.LeadsToFunction(start, view)
           select start,
    ];

    private bool Fuse(SeedNormalisation start, GraphView view, UniqueNames names, ModelContext context)
    {
        long opset = context.Model.OpsetVersion();
        NodeProto candidate = start.Norm;
        if (ExpansionBlock.WhyNot(start, view, opset, out ExpansionBlock? block) is { } reason)
        {
            context.Decisions.Kept(Name, candidate.DisplayName(), candidate.OpType, reason);
            return false;
        }

        NodeProto expand = Emit(block!, view, names);
        var epilogue = new ExpansionEpilogue(view, names, opset);
        NodeProto[] taken = [.. epilogue.TakeBatchNorm(expand, block!.Channels), .. epilogue.TakeActivation(expand)];
        string with = string.Concat(taken.Select(static node => $", {node.OpType} '{node.DisplayName()}'"));
        context.Decisions.Rewritten(
            Name,
            candidate.DisplayName(),
            candidate.OpType,
            note: $"{OperatorNames.GroupNLExpand} '{expand.DisplayName()}' runs {block.Inner.Count + 1} nodes{with}");
        return true;
    }

    private static NodeProto Emit(ExpansionBlock block, GraphView view, UniqueNames names)
    {
        NodeProto join = block.Join;
        string stem = join.DisplayName();
        int count = block.Generated.Length;
        TensorProto shift = TensorProto.FromFloats(
            names.Next(stem + "_shift"), [count], Array.ConvertAll(block.Generated, static map => map.Shift));
        TensorProto period = TensorProto.FromFloats(
            names.Next(stem + "_period"), [count], Array.ConvertAll(block.Generated, static map => map.Period));
        view.AddInitializer(shift);
        view.AddInitializer(period);

        NodeProto expand = OperatorSet.GroupNLExpand.NewNode(
            stem,
            [(InputNames.X, block.Seeds), (InputNames.Shift, shift.Name), (InputNames.Period, period.Name)],
            join.Output[0]);
        expand.Attribute.Add(
            AttributeProto.IntList(AttributeNames.Source, Array.ConvertAll(block.Generated, static map => (long)map.Seed)));
        expand.Attribute.Add(AttributeProto.String(AttributeNames.Function, block.Function.Name));
        if (block.Function.Power > 0) expand.Attribute.Add(AttributeProto.Int(AttributeNames.Power, block.Function.Power));
        expand.Attribute.Add(AttributeProto.Float(AttributeNames.Epsilon, block.Epsilon));
        view.Replace(join, expand);
        view.Remove(block.Inner);
        return expand;
    }

    private void LogFunctions(ModelContext context)
    {
        foreach (FunctionProto function in context.Model.Functions)
        {
            var body = new GraphProto { Name = function.Name };
            body.Node.AddRange(function.Node);
            foreach (SeedNormalisation start in GraphView.Of(body).WithInner().SelectMany(Candidates))
                context.Decisions.Kept(
                    Name,
                    start.Norm.DisplayName(),
                    start.Norm.OpType,
                    $"it is part of the local function '{function.Name}', which has no constants of its own");
        }
    }
}
