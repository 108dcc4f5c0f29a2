using NestQuant.Compiler.Pipeline;
using NestQuant.Onnx.Graph;
using NestQuant.Passes.Integer.Layout;
using NestQuant.Passes.Operators;

namespace NestQuant.Passes.Integer;

/// <summary>
/// Keeps tensors channels last between the operators that need that order, with transposes only where a region of such operators starts or
/// ends.
/// <code>
/// c = Transpose (a); p = MaxPool (c); l = Transpose (p); y = com.nestquant.NestedQLinearConv (l, ...)
/// p = com.microsoft.NhwcMaxPool (a); y = com.nestquant.NestedQLinearConv (p, ...)
/// </code>
/// </summary>
/// <remarks>
/// Connected nodes that work on either order of axes (<see cref="LayoutRules"/>) form a region. A region is converted as a whole where that
/// leaves fewer bytes per element to transpose, or as many bytes after it instead of before it. A transpose of a tensor without spatial
/// extents moves nothing: it becomes a Reshape. The pass has no candidates, so it logs no decisions.
/// </remarks>
public sealed class ChannelsLastPass : IGraphPass
{
    /// <inheritdoc/>
    public string Name => "channels-last";

    /// <inheritdoc/>
    public PassResult Run(ModelContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        var names = new UniqueNames(context.Model);
        bool changed = false;
        foreach (GraphView view in GraphView.Of(context.Model.MainGraph()).WithInner())
        {
            bool again;
            do
            {
                again = InverseTransposes.Cancel(view);
                foreach (LayoutRegion region in LayoutRegion.Find(view))
                {
                    if (!region.IsBetterChannelsLast()) continue;
                    new RegionConverter(region, view, names).Run();
                    if (region.Nodes.Any(static node => node.Is("MaxPool"))) MicrosoftOperators.Import(context.Model);
                    if (region.Nodes.Any(static node => node.Is("DepthToSpace"))) OperatorDomain.Import(context.Model);
                    again = true;
                    // The boundaries of the other regions have changed.
                    break;
                }

                changed |= again;
            }
            while (again);

            changed |= UnitTransposes.Replace(view, names);
        }

        if (changed) DeadCode.Remove(context.Model.MainGraph());
        return new PassResult(changed);
    }
}
