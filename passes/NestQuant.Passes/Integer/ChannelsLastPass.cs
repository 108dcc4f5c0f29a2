using NestQuant.Compiler.Pipeline;
using NestQuant.Onnx.Graph;
using NestQuant.Passes.Integer.Layout;
using NestQuant.Passes.Operators;

namespace NestQuant.Passes.Integer;

/// <summary>
/// Keeps tensors channels last between the operators that want them so, and leaves transposes only where a region of such operators begins
/// or ends.
/// <code>
/// c = Transpose (a); p = MaxPool (c); l = Transpose (p); y = com.nestquant.NestedQLinearConv (l, ...)
/// p = com.microsoft.NhwcMaxPool (a); y = com.nestquant.NestedQLinearConv (p, ...)
/// </code>
/// </summary>
/// <remarks>
/// Connected nodes that work on either order of axes (<see cref="LayoutRules"/>) form a region. A region is turned as a whole where that
/// leaves fewer bytes per element to transpose, or as many behind it instead of in front of it. A transpose of a tensor without spatial
/// extents moves nothing: it becomes a Reshape. The pass has no candidates of its own, and so makes no decisions.
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
                    new RegionTurner(region, view, names).Run();
                    if (region.Nodes.Any(static node => node.Is("MaxPool"))) MicrosoftOperators.Import(context.Model);
                    again = true;
                    // The border of the other regions is another one now.
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
