using NestQuant.Compiler.Calibration;
using NestQuant.Onnx;
using NestQuant.Onnx.Graph;
using NestQuant.Passes.Nesting;
using NestQuant.Passes.Operators;

namespace NestQuant.Passes.Integer.ActivationQuantization;

/// <summary>The nodes of a main graph that work on quantized activations, and the values that are quantized for them.</summary>
/// <remarks>
/// Starts with every node that has an integer form and removes, until nothing changes, nodes that have a value without a range, a result
/// that no integer operator reads, or no operand from an integer operator. So no value is converted back and forth for a single cheap
/// operator.
/// </remarks>
internal sealed class IntegerRegion
{
    private readonly GraphView _view;
    private readonly Lazy<ActivationRanges> _ranges;
    private readonly GuardedActivations? _guarded;
    private readonly PointwiseRoots _roots;
    private readonly Dictionary<NodeProto, IntegerRole> _members = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<NodeProto, string> _reasons = new(ReferenceEqualityComparer.Instance);
    private HashSet<NodeProto> _madeByIntegers = new(ReferenceEqualityComparer.Instance);

    /// <summary>Finds the region.</summary>
    /// <param name="view">The main graph, which must not change while this object is in use.</param>
    /// <param name="products">The products that are to be executed in integers.</param>
    /// <param name="ranges">Ranges; asked for only when a value needs one.</param>
    /// <param name="guarded">Values that stay float; null for none.</param>
    public IntegerRegion(GraphView view, IEnumerable<NodeProto> products, Lazy<ActivationRanges> ranges, GuardedActivations? guarded = null)
    {
        _view = view;
        _ranges = ranges;
        _guarded = guarded;
        // A ConvTranspose is executed in integers only where its result is read in integers.
        foreach (NodeProto product in products)
            _members[product] = product.Is("ConvTranspose") ? IntegerRole.Computation : IntegerRole.Product;
        var facts = new RuleFacts(view, new ValueExtents(view), _roots = new PointwiseRoots(view));
        foreach (NodeProto node in view.Graph.Node)
        {
            if (_members.ContainsKey(node) || NestingCandidate.IsProduct(node)) continue;
            if (IntegerRules.WhyNone(node, facts) is { } reason) _reasons[node] = reason;
            else _members[node] = IntegerRules.RoleOf(node)!.Value;
        }

        while (DropUnread() | DropUnfit())
        {
        }
    }

    /// <summary>Whether a node works on integers.</summary>
    public bool Contains(NodeProto node) => _members.ContainsKey(node);

    /// <summary>Why a node does not work on integers; null for products that were not passed in.</summary>
    public string? ReasonAgainst(NodeProto node) => _reasons.GetValueOrDefault(node);

    /// <summary>Whether a node stays in float next to one that works on integers, so that a value has to be converted.</summary>
    public bool IsFloatNeighbour(NodeProto node) =>
        !Contains(node)
            && (
                node.Input.Exists(input => _view.Producer(input) is { } producer && Contains(producer))
                    || node.Output.Exists(IsReadAsIntegers));

    /// <summary>The quantized values around a node: its inputs, and its results where they are needed in integers.</summary>
    public IEnumerable<string> QuantizedAround(NodeProto node) =>
        Operands(node).Concat(Results(node).Where(value => _members[node] != IntegerRole.Product || IsReadAsIntegers(value)));

    /// <summary>Whether a node of the region reads a value as one of its activations.</summary>
    public bool IsReadAsIntegers(string value) => _view.Consumers(value).Any(consumer => ReadsAsIntegers(consumer, value));

    /// <summary>Whether this consumer reads the value as integers.</summary>
    public bool ReadsAsIntegers(NodeProto consumer, string value) => Contains(consumer) && Operands(consumer).Contains(value);

    /// <summary>The value whose scale and zero point a value has: itself, or the value whose elements it only moves.</summary>
    public string Root(string value)
    {
        while (_view.Producer(value) is { } producer && _members.GetValueOrDefault(producer, IntegerRole.Product) == IntegerRole.Movement)
            value = producer.Input[0];
        return value;
    }

    /// <summary>Whether the model already has the value in uint8.</summary>
    public bool IsQuantizedAlready(string value) => DequantizedActivation.Of(_view, value) is not null;

    /// <summary>The values that a node reads as integers: its activations, without steps inside a fused operator.</summary>
    private IEnumerable<string> Operands(NodeProto node) =>
        IntegerRules.Activations(node, _view).Where(value => !IsInner(value)).Distinct(StringComparer.Ordinal);

    /// <summary>The results of a node, without steps inside a fused operator.</summary>
    private IEnumerable<string> Results(NodeProto node) =>
        node.Output.Where(value => value.Length > 0 && _view.Consumers(value).Count > 0 && !IsInner(value));

    /// <summary>
    /// Whether a value is only a step between nodes of the region that become one: an operator and the Relu or Clip after it, a MatMul and
    /// its bias, or the nodes of one elementwise function. Rounding it to 8 bits would only cost accuracy.
    /// </summary>
    private bool IsInner(string value)
    {
        if (_view.IsOutput(value) || _view.Producer(value) is not { } producer || !Contains(producer)) return false;
        IReadOnlyList<NodeProto> consumers = _view.Consumers(value);
        if (consumers.Count == 0 || !consumers.All(Contains)) return false;
        string root = _roots.Of(value);
        if (root != value && consumers.All(consumer => consumer.Output.Count == 1 && _roots.Of(consumer.Output[0]) == root)) return true;
        if (consumers is not [var only]) return false;
        return (IntegerRules.IsClamp(only) && only.InputAt(0) == value && IntegerRules.TakesClamp(producer, _view))
            || (producer.Is("MatMul") && IsBiasOf(producer, only));
    }

    private bool IsBiasOf(NodeProto product, NodeProto add) =>
        _members[product] == IntegerRole.Product
            && AddedBias.Of(product, _view.Constant(product.InputAt(1))?.Dims[^1], _view) is { Reason: null } added
            && added.Add == add;

    /// <summary>Removes, in reverse graph order, nodes whose results no node of the region reads.</summary>
    private bool DropUnread()
    {
        int before = _members.Count;
        foreach (NodeProto node in Enumerable.Reverse(_view.Graph.Node))
        {
            if (!_members.TryGetValue(node, out IntegerRole role) || role == IntegerRole.Product) continue;
            if (node.Output.Exists(IsTakenUp)) continue;
            bool isQuantized = node.Output.Exists(value => _view.Consumers(value).Any(static consumer => consumer.Is("QuantizeLinear")));
            Drop(node, isQuantized ? "the model quantizes its result already" : "no integer operator reads its result");
        }

        return _members.Count < before;
    }

    private bool IsTakenUp(string value) =>
        _view.Consumers(value).Any(consumer => Contains(consumer) && IntegerRules.Activations(consumer, _view).Contains(value));

    /// <summary>Removes, in graph order, nodes without a range or without an integer operand.</summary>
    private bool DropUnfit()
    {
        int before = _members.Count;
        _madeByIntegers = new HashSet<NodeProto>(ReferenceEqualityComparer.Instance);
        foreach (NodeProto node in _view.Graph.Node)
        {
            if (!_members.TryGetValue(node, out IntegerRole role)) continue;
            bool fromIntegers = IntegerRules.Activations(node, _view).Any(IsMadeByIntegers);
            if (WhyUnfit(node, role, fromIntegers) is { } reason) Drop(node, reason);
            else if (role == IntegerRole.Product || fromIntegers) _madeByIntegers.Add(node);
        }

        return _members.Count < before;
    }

    private string? WhyUnfit(NodeProto node, IntegerRole role, bool fromIntegers)
    {
        if (role != IntegerRole.Product && node.Output.Find(_view.IsOutput) is { } output)
            return $"its result '{output}' is an output of the graph, which stays float";
        if (role == IntegerRole.Computation && !fromIntegers) return "it reads no result of an integer operator";
        // A product whose result has no range still computes in integers; consumers of that result do not.
        IEnumerable<string> quantized = role == IntegerRole.Product ? Operands(node) : QuantizedAround(node);
        return quantized.Select(WhyNoParameters).FirstOrDefault(static reason => reason is not null);
    }

    private string? WhyNoParameters(string value)
    {
        string root = Root(value);
        if (IsQuantizedAlready(root)) return null;
        if (_guarded?.WhyFloat(root) is { } guarded) return guarded;
        if (_ranges.Value.Of(root) is not { } range) return $"no range is known for '{root}'";
        return ActivationParameters.WhyNot(range) is { } reason ? $"the range of '{root}' cannot be used: {reason}" : null;
    }

    private bool IsMadeByIntegers(string value) =>
        IsQuantizedAlready(value) || (_view.Producer(value) is { } producer && _madeByIntegers.Contains(producer));

    private void Drop(NodeProto node, string reason)
    {
        _members.Remove(node);
        _reasons[node] = reason;
    }
}
