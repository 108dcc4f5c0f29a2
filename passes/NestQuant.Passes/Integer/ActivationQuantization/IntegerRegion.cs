using NestQuant.Compiler.Calibration;
using NestQuant.Onnx;
using NestQuant.Onnx.Graph;
using NestQuant.Passes.Nesting;

namespace NestQuant.Passes.Integer.ActivationQuantization;

/// <summary>Which nodes of a main graph work on quantized activations, and which values are quantized for them.</summary>
/// <remarks>
/// Starts with every node that has an integer form and takes away, until nothing changes, those whose place does not suit: a value
/// without a range, a result that no integer operator reads, operands none of which an integer operator made. What remains never converts
/// back and forth for the sake of a single cheap operator.
/// </remarks>
internal sealed class IntegerRegion
{
    private readonly GraphView _view;
    private readonly Lazy<ActivationRanges> _ranges;
    private readonly Dictionary<NodeProto, IntegerRole> _members = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<NodeProto, string> _reasons = new(ReferenceEqualityComparer.Instance);
    private HashSet<NodeProto> _madeByIntegers = new(ReferenceEqualityComparer.Instance);

    /// <summary>Finds the region.</summary>
    /// <param name="view">The main graph, which must not change while this object is in use.</param>
    /// <param name="products">The products that are to be executed in integers.</param>
    /// <param name="ranges">Ranges; asked for only when a value needs one.</param>
    public IntegerRegion(GraphView view, IEnumerable<NodeProto> products, Lazy<ActivationRanges> ranges)
    {
        _view = view;
        _ranges = ranges;
        foreach (NodeProto product in products) _members[product] = IntegerRole.Product;
        foreach (NodeProto node in view.Graph.Node)
        {
            if (_members.ContainsKey(node) || NestingCandidate.IsCandidate(node)) continue;
            if (IntegerRules.WhyNone(node, view) is { } reason) _reasons[node] = reason;
            else _members[node] = IntegerRules.RoleOf(node)!.Value;
        }

        while (DropUnread() | DropUnfit())
        {
        }
    }

    /// <summary>Whether a node works on integers.</summary>
    public bool Contains(NodeProto node) => _members.ContainsKey(node);

    /// <summary>Why a node does not; for products that were not offered, null.</summary>
    public string? ReasonAgainst(NodeProto node) => _reasons.GetValueOrDefault(node);

    /// <summary>Whether a node stays in float beside one that works on integers, so that a value has to be converted.</summary>
    public bool IsFloatNeighbour(NodeProto node) =>
        !Contains(node)
            && (
                node.Input.Exists(input => _view.Producer(input) is { } producer && Contains(producer))
                    || node.Output.Exists(IsReadAsIntegers));

    /// <summary>The values around a node that are quantized: what it reads, and what it makes where that is needed in integers.</summary>
    public IEnumerable<string> QuantizedAround(NodeProto node) =>
        Operands(node).Concat(Results(node).Where(value => _members[node] != IntegerRole.Product || IsReadAsIntegers(value)));

    /// <summary>Whether a node of the region reads a value as one of its activations.</summary>
    public bool IsReadAsIntegers(string value) => _view.Consumers(value).Any(reader => ReadsAsIntegers(reader, value));

    /// <summary>Whether this node does.</summary>
    public bool ReadsAsIntegers(NodeProto reader, string value) => Contains(reader) && Operands(reader).Contains(value);

    /// <summary>The value whose scale and zero point a value has: itself, or what it was moved from.</summary>
    public string Root(string value)
    {
        while (_view.Producer(value) is { } producer && _members.GetValueOrDefault(producer, IntegerRole.Product) == IntegerRole.Movement)
            value = producer.Input[0];
        return value;
    }

    /// <summary>Whether the model itself has a value in uint8.</summary>
    public bool IsQuantizedAlready(string value) => DequantizedActivation.Of(_view, value) is not null;

    /// <summary>What a node reads as integers: its activations, without those that are only a step inside a fused operator.</summary>
    private IEnumerable<string> Operands(NodeProto node) =>
        IntegerRules.Activations(node).Where(value => !IsInner(value)).Distinct(StringComparer.Ordinal);

    /// <summary>What a node makes, as far as anything reads it as a value of its own.</summary>
    private IEnumerable<string> Results(NodeProto node) =>
        node.Output.Where(value => value.Length > 0 && _view.Consumers(value).Count > 0 && !IsInner(value));

    /// <summary>
    /// Whether a value is only a step between two nodes of the region that become one: a Conv, Gemm, MatMul or Add and the Relu or Clip
    /// behind it, or a gate and its multiplication. Rounding it to 8 bits would only cost accuracy.
    /// </summary>
    private bool IsInner(string value)
    {
        if (_view.IsOutput(value) || _view.Producer(value) is not { } producer || !Contains(producer)) return false;
        if (_view.Consumers(value) is not [var reader] || !Contains(reader)) return false;
        bool takesClamp = _members[producer] == IntegerRole.Product || producer.Is("Add");
        return (takesClamp && IntegerRules.IsClamp(reader) && reader.InputAt(0) == value)
            || IntegerRules.GatedBy(producer, _view) == reader;
    }

    /// <summary>Back to front, takes away what no node of the region reads.</summary>
    private bool DropUnread()
    {
        int before = _members.Count;
        foreach (NodeProto node in Enumerable.Reverse(_view.Graph.Node))
        {
            if (!_members.TryGetValue(node, out IntegerRole role) || role == IntegerRole.Product) continue;
            if (node.Output.Exists(IsTakenUp)) continue;
            bool isQuantized = node.Output.Exists(value => _view.Consumers(value).Any(static reader => reader.Is("QuantizeLinear")));
            Drop(node, isQuantized ? "the model quantizes its result already" : "no integer operator reads its result");
        }

        return _members.Count < before;
    }

    private bool IsTakenUp(string value) =>
        _view.Consumers(value).Any(reader => Contains(reader) && IntegerRules.Activations(reader).Contains(value));

    /// <summary>Front to back, takes away what lacks a range or gets nothing from integers.</summary>
    private bool DropUnfit()
    {
        int before = _members.Count;
        _madeByIntegers = new HashSet<NodeProto>(ReferenceEqualityComparer.Instance);
        foreach (NodeProto node in _view.Graph.Node)
        {
            if (!_members.TryGetValue(node, out IntegerRole role)) continue;
            bool fromIntegers = IntegerRules.Activations(node).Any(IsMadeByIntegers);
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
        // A product whose result has no range still computes in integers; what would read that result does not.
        IEnumerable<string> quantized = role == IntegerRole.Product ? Operands(node) : QuantizedAround(node);
        return quantized.Select(WhyNoParameters).FirstOrDefault(static reason => reason is not null);
    }

    private string? WhyNoParameters(string value)
    {
        string root = Root(value);
        if (IsQuantizedAlready(root)) return null;
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
