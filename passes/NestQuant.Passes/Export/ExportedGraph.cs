using NestQuant.Onnx;
using NestQuant.Onnx.Graph;
using NestQuant.Passes.Integer.Layout;
using NestQuant.Passes.Nesting;
using NestQuant.Passes.Operators;

namespace NestQuant.Passes.Export;

/// <summary>Writes one graph of a compiled model anew, node after node.</summary>
internal sealed class ExportedGraph
{
    /// <summary>Rank of tensors that have nothing but samples and channels.</summary>
    private const int LeastRank = 2;

    private readonly ExportedGraph? _outer;
    private readonly Dictionary<string, ExportedValue> _values = new(StringComparer.Ordinal);
    private readonly Dictionary<string, ExportedParameters> _parameters = new(StringComparer.Ordinal);
    private readonly Dictionary<(string Value, ExportedParameters Parameters), string> _dequantized = [];
    private readonly Dictionary<string, string> _transposed = new(StringComparer.Ordinal);
    private readonly GraphView _written;

    /// <summary>Prepares to write a graph.</summary>
    /// <param name="context">What all graphs share.</param>
    /// <param name="view">The graph as it was compiled.</param>
    /// <param name="outer">The graph whose node holds this one; null for the main graph.</param>
    public ExportedGraph(ExportContext context, GraphView view, ExportedGraph? outer)
    {
        Context = context;
        View = view;
        _outer = outer;
        var written = new GraphProto();
        written.Output.AddRange(view.Graph.Output);
        _written = GraphView.Of(written);
        Readers = new ReaderParameters(view);
        Extents = new UnitExtents(view);
        Ranks = new ValueRanks(view);
    }

    /// <summary>What all graphs share.</summary>
    public ExportContext Context { get; }

    /// <summary>The graph as it was compiled.</summary>
    public GraphView View { get; }

    /// <summary>Scales and zero points that readers of uint8 values name.</summary>
    public ReaderParameters Readers { get; }

    /// <summary>The compiled values that have no spatial extents.</summary>
    public UnitExtents Extents { get; }

    /// <summary>Ranks of the compiled values.</summary>
    public ValueRanks Ranks { get; }

    /// <summary>Writes the graph.</summary>
    public void Run()
    {
        foreach (NodeProto node in View.Graph.Node)
        {
            foreach (GraphProto body in node.Subgraphs()) new ExportedGraph(Context, View.Inner(body), this).Run();
            ExportRules.Write(node, this);
        }

        foreach (ValueInfoProto output in View.Graph.Output) Deliver(output.Name);
        foreach (ValueInfoProto output in View.Graph.Output) ConvolutionOutputs.KeepApart(output.Name, _written, Context.Names);
        View.Graph.Node.Clear();
        View.Graph.Node.AddRange(_written.Graph.Node);
    }

    /// <summary>What stands for a value of the compiled graph, or of one around it.</summary>
    public ExportedValue Value(string value) => _values.TryGetValue(value, out ExportedValue known) ? known
        : View.Defines(value) || _outer is null ? new ExportedValue(value)
        : _outer.Value(value);

    /// <summary>Makes an exported value stand for a compiled one.</summary>
    public void Alias(string value, ExportedValue exported) => _values[value] = exported;

    /// <summary>A value with its axes in the compiled order.</summary>
    public string AsCompiled(string value)
    {
        ExportedValue exported = Value(value);
        return exported.IsTurned ? Transposed(exported.Name, AxisOrder.ToLast(exported.ChannelsLastRank), "_channels_last") : exported.Name;
    }

    /// <summary>The channels-first form of a value that the compiled graph has channels last.</summary>
    public string ChannelsFirst(string value, int rank)
    {
        ExportedValue exported = Value(value);
        return exported.IsTurned ? exported.Name : Transposed(exported.Name, AxisOrder.ToFirst(rank), "_channels_first");
    }

    /// <summary>The rank of a node's first input, which has samples and channels.</summary>
    /// <exception cref="ModelException">It is not known, or it has no channels.</exception>
    public int RankOfMaps(NodeProto node)
    {
        string input = node.InputAt(0);
        if (Value(input) is { IsTurned: true } turned) return turned.ChannelsLastRank;
        return Ranks.Of(input) switch
        {
            null => throw NestedOperator.Damaged(node, "the rank of its input is not known"),
            < LeastRank and int rank => throw NestedOperator.Damaged(node, $"its input '{input}' has rank {rank}, so it has no channels"),
            int rank => rank,
        };
    }

    /// <summary>Takes a name for what stands for a compiled value, and makes it do so.</summary>
    /// <param name="value">The compiled value.</param>
    /// <param name="channelsLastRank">Its rank where it is channels last and its stand-in is not, else 0.</param>
    public string Define(string value, int channelsLastRank = 0)
    {
        bool isOutput = View.IsOutput(value) && channelsLastRank == 0;
        string name = isOutput ? value : Context.Names.Next(Stem(value, "_channels_last"));
        Alias(value, new ExportedValue(name, channelsLastRank));
        return name;
    }

    /// <summary>A name for a step in front of a compiled value.</summary>
    public string Step(string value, string suffix = "") => Context.Names.Next(Stem(Stem(value, "_channels_last"), "_quantized") + suffix);

    /// <summary>Notes what the integers of a compiled value stand for.</summary>
    public void SetParameters(string value, ExportedParameters parameters) => _parameters[value] = parameters;

    /// <summary>What the integers of a compiled value stand for, by what makes it or what reads it; null where neither says so.</summary>
    public ExportedParameters? Parameters(string value) =>
        _parameters.TryGetValue(value, out ExportedParameters known) ? known
        : Readers.Of(value) is { } read ? new ExportedParameters(AsCompiled(read.Scale), AsCompiled(read.ZeroPoint))
        : View.Defines(value) ? null
        : _outer?.Parameters(value);

    /// <summary>The parameters that inputs <paramref name="index"/> and the next of a node name.</summary>
    public ExportedParameters ParametersAt(NodeProto node, int index) =>
        new(AsCompiled(node.InputAt(index)), AsCompiled(node.InputAt(index + 1)));

    /// <summary>The parameters that an input of one of NestQuant's operators and the next name.</summary>
    public ExportedParameters ParametersAt(NodeProto node, string scale) => ParametersAt(node, node.PositionOf(scale));

    /// <summary>The float form of an exported uint8 value.</summary>
    public string Dequantize(string exported, ExportedParameters parameters)
    {
        if (_dequantized.TryGetValue((exported, parameters), out string? known)) return known;
        NodeProto node = Add(
            "DequantizeLinear",
            exported + "_dequantize",
            [exported, parameters.Scale, parameters.ZeroPoint],
            Context.Names.Next(exported + "_dequantized"));
        return _dequantized[(exported, parameters)] = node.Output[0];
    }

    /// <summary>Makes the uint8 value that stands for a compiled one from its float form.</summary>
    public void Quantize(string exported, string value, ExportedParameters parameters, int channelsLastRank = 0)
    {
        string output = Define(value, channelsLastRank);
        Add("QuantizeLinear", output + "_quantize", [exported, parameters.Scale, parameters.ZeroPoint], output);
        SetParameters(value, parameters);
    }

    /// <summary>Adds a node of the default domain with one output.</summary>
    /// <param name="opType">The operator.</param>
    /// <param name="name">Wanted name, see <see cref="GraphView"/>.</param>
    /// <param name="inputs">Names of exported values; empty ones at the end are left out.</param>
    /// <param name="output">Name of the result.</param>
    /// <param name="attributes">Attributes.</param>
    public NodeProto Add(
        string opType, string name, IReadOnlyList<string> inputs, string output, params ReadOnlySpan<AttributeProto> attributes)
    {
        var node = new NodeProto { OpType = opType, Name = name };
        int count = inputs.Count;
        while (count > 0 && inputs[count - 1].Length == 0) count--;
        node.Input.AddRange(inputs.Take(count));
        node.Output.Add(output);
        node.Attribute.AddRange(attributes);
        Add(node);
        return node;
    }

    /// <summary>Adds a node that reads and makes exported values.</summary>
    public void Add(NodeProto node) => _written.Append(node);

    /// <summary>Notes what became of a compiled node.</summary>
    public void Log(NodeProto node, string? note = null) =>
        Context.Decisions.Rewritten("export", node.DisplayName(), node.OpType, note: note);

    private string Transposed(string exported, long[] permutation, string suffix)
    {
        string key = exported + suffix;
        if (_transposed.TryGetValue(key, out string? known)) return known;
        NodeProto node = AxisOrder.Transpose(exported, Context.Names.Next(key), permutation, key);
        Add(node);
        return _transposed[key] = node.Output[0];
    }

    /// <summary>Gives an output of the graph its name.</summary>
    private void Deliver(string output)
    {
        string exported = AsCompiled(output);
        if (exported == output) return;
        if (!View.IsOutput(exported) && _written.Producer(exported) is not null) _written.RenameProduced(exported, output);
        else Add("Identity", output + "_identity", [exported], output);
    }

    private static string Stem(string value, string suffix) =>
        value.EndsWith(suffix, StringComparison.Ordinal) && value.Length > suffix.Length ? value[..^suffix.Length] : value;
}
