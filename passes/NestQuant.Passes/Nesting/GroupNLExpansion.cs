using NestQuant.Onnx;
using NestQuant.Onnx.Graph;
using NestQuant.Passes.Operators;
using NestQuant.RuntimeOps.Schema;

namespace NestQuant.Passes.Nesting;

/// <summary>
/// A GroupNLExpand that alone reads the result of a 2-D Conv, and so becomes the epilogue of the nested convolution.
/// <code>
/// c = Conv (x, W, B); y = com.nestquant.GroupNLExpand (c, shift, period, scale, bias)
/// y = Transpose (com.nestquant.NestedGroupNLConv (quantized x, W_high, W_low, W_scale, W_zero_point, B, shift, period, scale, bias,
/// nest_bits))
/// </code>
/// </summary>
internal sealed class GroupNLExpansion
{
    private readonly NodeProto _conv;
    private readonly NodeProto _expand;
    private readonly GraphView _view;

    private GroupNLExpansion(NodeProto conv, NodeProto expand, GraphView view)
    {
        _conv = conv;
        _expand = expand;
        _view = view;
    }

    /// <summary>Name of the operator, for people.</summary>
    public string Name => _expand.DisplayName();

    /// <summary>Name of its result.</summary>
    public string Output => _expand.Output[0];

    /// <summary>shift, period, scale and bias; empty where the last two are left out.</summary>
    public IEnumerable<(string Input, string Value)> Inputs =>
        OperatorInputs.Expansion.Select(input => (input.Name, _expand.InputAt(input.Name)));

    /// <summary>The expansion of a convolution's result; null where something else reads the result too.</summary>
    public static GroupNLExpansion? Of(NodeProto conv, GraphView view)
    {
        string seeds = conv.Output[0];
        if (view.SoleConsumer(seeds) is not { } expand) return null;
        bool fits = expand.Is(OperatorSet.GroupNLExpand)
            && expand.InputAt(InputNames.X) == seeds && expand.GetInt(OperatorAttributes.ChannelsLast) == 0;
        return fits ? new GroupNLExpansion(conv, expand, view) : null;
    }

    /// <summary>Adds the expansion's attributes to the operator that takes it over.</summary>
    public void Describe(NodeProto nested) =>
        nested.Attribute.AddRange(_expand.Attribute.Where(static attribute => attribute.Name != AttributeNames.ChannelsLast));

    /// <summary>Puts nodes in the place of the expansion and removes the convolution.</summary>
    public void Replace(params ReadOnlySpan<NodeProto> nodes)
    {
        _view.Remove(_conv);
        _view.Replace(_expand, nodes);
    }
}
