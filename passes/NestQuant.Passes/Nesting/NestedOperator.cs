using NestQuant.Onnx;
using NestQuant.Onnx.Graph;
using NestQuant.Passes.Operators;
using NestQuant.RuntimeOps.Packing;
using NestQuant.RuntimeOps.Schema;

namespace NestQuant.Passes.Nesting;

/// <summary>One nested operator of a compiled model, with the constants that make up its weight.</summary>
/// <param name="Node">The operator.</param>
/// <param name="Consumers">Names of the source model's nodes that use the weight.</param>
/// <param name="Layout">Bits and layout of the packed operands.</param>
/// <param name="Tag">The tag that all operands carry; null in layout version 1, which has none.</param>
/// <param name="Shape">Shape of the weight in the source model.</param>
/// <param name="High">Packed high operand.</param>
/// <param name="Steps">Packed low operands, that of the lowest step first; null for those that a part model lacks.</param>
/// <param name="Scale">One scale per output channel.</param>
/// <param name="ZeroPoint">One zero point per output channel; null when all are zero.</param>
/// <param name="PartScale">
/// One scale for every level below full precision, in descending order, and output channel; null where they are those at full precision.
/// </param>
public sealed record NestedOperator(
    NodeProto Node,
    IReadOnlyList<string> Consumers,
    NestedLayout Layout,
    WeightTag? Tag,
    IReadOnlyList<long> Shape,
    TensorProto High,
    IReadOnlyList<TensorProto?> Steps,
    TensorProto Scale,
    TensorProto? ZeroPoint,
    TensorProto? PartScale)
{
    /// <summary>The nested operators of a model, in graph order, those inside bodies included.</summary>
    /// <exception cref="ModelException">An operator is not as the compiler writes it.</exception>
    public static IReadOnlyList<NestedOperator> Of(ModelProto model) =>
    [
        .. from view in GraphView.Of(model.MainGraph()).WithInner()
           from node in view.Graph.Node
           where node.IsNested()
           select Read(node, view),
    ];

    /// <summary>
    /// The weight's integers at a level of b bits times 2^(n-b), in the shape's row-major order. They lie in [-2^(n-1), 2^(n-1) - 1].
    /// </summary>
    /// <param name="level">Bits of the level.</param>
    /// <exception cref="ModelException">A low operand that the level needs is missing, or an operand is damaged.</exception>
    public sbyte[] Integers(int level)
    {
        sbyte[] integers = HighValues();
        int bits = Layout.Bits.High;
        for (int step = 1; bits < level; step++)
        {
            int above = Layout.Bits.Levels[^(step + 1)], shift = above - bits, limit = 1 << (above - 1);
            sbyte[] low = LowValues(step) ?? throw Damaged(
                Node, $"it has no operand '{InputNames.WeightStep(step)}', which more than {bits} bits need");
            for (int i = 0; i < integers.Length; i++)
            {
                int value = (integers[i] << shift) + low[i];
                if (value < -limit || value >= limit)
                    throw Damaged(Node, $"element {i} of its weight is {value}, which {above} bits cannot hold");
                integers[i] = (sbyte)value;
            }

            bits = above;
        }

        for (int i = 0; i < integers.Length; i++) integers[i] = (sbyte)(integers[i] << (Layout.Bits.Full - bits));
        return integers;
    }

    /// <summary>The values of the high operand, in the shape's row-major order.</summary>
    internal sbyte[] HighValues() => Unpack(step: 0, High);

    /// <summary>The values of a step's low operand, likewise; null where it is absent.</summary>
    /// <param name="step">The step, from 1.</param>
    internal sbyte[]? LowValues(int step) => Steps[step - 1] is { } operand ? Unpack(step, operand) : null;

    private sbyte[] Unpack(int step, TensorProto operand)
    {
        var values = new sbyte[Layout.View.Count];
        NestedPacker.UnpackPanels(Layout, step, 0, Layout.Panels, operand.GetBytes().Span, values);
        return values;
    }

    /// <summary>The scales of a level, one per output channel.</summary>
    /// <param name="level">Bits of the level.</param>
    public float[] Scales(int level) => RowOf(PartScale, level) ?? Scale.ToFloats();

    /// <summary>The row of a level in values below full precision, [levels - 1, M]; null at full precision and without values.</summary>
    internal float[]? RowOf(TensorProto? rows, int level)
    {
        int row = Layout.Bits.IndexOf(level) - 1, channels = Layout.View.OutputChannels;
        if (rows is null || row < 0) return null;
        float[] values = rows.ToFloats();
        return values.Length == (Layout.Bits.Count - 1) * channels
            ? values[(row * channels)..((row + 1) * channels)]
            : throw Damaged(Node, $"'{rows.Name}' has {values.Length} elements for {Layout.Bits.Count - 1} levels of {channels} channels");
    }

    /// <summary>The highest level whose low operands are all there.</summary>
    public int Highest => NestedLevels.Highest(Node);

    /// <summary>A failure that names the operator.</summary>
    public static ModelException Damaged(NodeProto node, string problem) =>
        new($"{node.OpType} '{node.DisplayName()}' is damaged: {problem}: compile the model again");

    /// <summary>Reads one operator and checks that its operands fit its attributes and carry its tag.</summary>
    /// <param name="node">A node of a nested operator.</param>
    /// <param name="view">The graph that holds it.</param>
    /// <exception cref="ModelException">The operator is not as the compiler writes it, or an operand is that of another
    /// compile.</exception>
    public static NestedOperator Read(NodeProto node, GraphView view)
    {
        NestedOperator nested = ReadUntagged(node, view);
        foreach ((int step, TensorProto operand) in nested.Operands)
        {
            if (nested.TagProblem(step, operand) is { } problem)
                throw new ModelException($"{nested.Title}: operand {Describe(operand)} {problem}; {OperandTrailer.Advice}");
        }

        return nested;
    }

    /// <summary>Reads one operator without a look at the content of its operands.</summary>
    internal static NestedOperator ReadUntagged(NodeProto node, GraphView view)
    {
        ArgumentNullException.ThrowIfNull(node);
        ArgumentNullException.ThrowIfNull(view);
        long[] shape = node.GetInts(AttributeNames.Shape) ?? throw Damaged(node, "it has no shape");
        NestedLayout layout = ReadLayout(node, shape);
        var nested = new NestedOperator(
            node,
            node.Is(OperatorSet.NestedDequantizeLinear) ? ConsumersOf(node, view) : [node.DisplayName()],
            layout,
            ReadTag(node, layout),
            shape,
            Operand(node, view, InputNames.WeightHigh) ?? throw Damaged(node, "it has no high operand"),
            [.. NestedLevels.Steps(layout.Bits).Select(step => Operand(node, view, step.Input))],
            Operand(node, view, InputNames.WeightScale) ?? throw Damaged(node, "it has no scale"),
            Operand(node, view, InputNames.WeightZeroPoint),
            Operand(node, view, InputNames.PartScale));
        nested.CheckLengths();
        return nested;
    }

    /// <summary>The operands that are there.</summary>
    internal IEnumerable<(int Step, TensorProto Operand)> Operands =>
        Steps.Prepend(High).Select(static (operand, step) => (step, operand!)).Where(static pair => pair.Item2 is not null);

    /// <summary>
    /// Why an operand is not this operator's, as <see cref="OperandTrailer.Problem"/> says it; null when it is, or nothing tells.
    /// </summary>
    internal string? TagProblem(int step, TensorProto operand)
    {
        if (Tag is not { } tag) return null;
        Span<byte> trailer = stackalloc byte[OperandTrailer.Length];
        operand.CopyBytes(operand.ByteCount - trailer.Length, trailer);
        return OperandTrailer.Problem(trailer, Layout, step, tag);
    }

    /// <summary>The operator's type and name, for messages.</summary>
    internal string Title => $"{Node.OpType} '{Node.DisplayName()}'";

    /// <summary>An operand's name and where it lies, for messages.</summary>
    internal static string Describe(TensorProto operand) =>
        operand.ExternalLocation is { } file ? $"'{operand.Name}' in '{file}'" : $"'{operand.Name}'";

    private void CheckLengths()
    {
        int channels = Layout.View.OutputChannels;
        bool fits = Operands.All(operand => operand.Operand.ByteCount == Layout.ByteLength(operand.Step))
            && Scale.ElementCount == channels
            && (ZeroPoint is null || ZeroPoint.ElementCount == channels)
            && (PartScale is null || PartScale.ElementCount == (Layout.Bits.Count - 1) * channels);
        if (!fits)
            throw Damaged(Node, "an operand has another length than the weight's shape and bits give");
    }

    private static TensorProto? Operand(NodeProto node, GraphView view, string input)
    {
        string name = node.InputAt(input);
        return name.Length == 0 ? null : view.Constant(name) ?? throw Damaged(node, $"its operand '{name}' is not a constant");
    }

    // Conv's own layout [M, C, k...] leaves nothing to choose, so NestedConv carries no view.
    private static long[] ConvolutionView(NodeProto node, long[] shape) => shape.Length > 2
        ? [shape[0], shape[1], 1, Product(shape.AsSpan(2))]
        : throw Damaged(node, $"its shape has {shape.Length} extents");

    private static long Product(ReadOnlySpan<long> extents)
    {
        long product = 1;
        foreach (long extent in extents)
            product = extent > 0 ? checked(product * extent) : throw new ArgumentException($"an extent of its shape is {extent}");
        return product;
    }

    private static NestedLayout ReadLayout(NodeProto node, long[] shape)
    {
        try
        {
            long[] view = node.GetInts(AttributeNames.ChannelView) ?? ConvolutionView(node, shape);
            if (view.Length != 4)
                throw Damaged(node, "its operands have an unknown layout");
            if (Product(shape) != Product(view) || Product(view) > Array.MaxLength)
                throw Damaged(node, "its shape and its layout disagree");
            var channels = new ChannelView((int)view[0], (int)view[1], (int)view[2], (int)view[3]);
            return new NestedLayout(NestedLevels.Of(node), channels, node.GetInt(OperatorAttributes.LayoutVersion));
        }
        catch (Exception e) when (e is ArgumentException or OverflowException)
        {
            throw Damaged(node, e.Message);
        }
    }

    private static WeightTag? ReadTag(NodeProto node, NestedLayout layout)
    {
        if (!layout.HasTrailer) return null;
        return WeightTag.TryParse(node.GetString(OperatorAttributes.WeightTag), out WeightTag tag)
            ? tag
            : throw Damaged(node, "it has no weight tag");
    }

    private static string[] ConsumersOf(NodeProto node, GraphView view)
    {
        string[] names = [.. Readers(node.Output[0], view).Select(reader => reader.DisplayName()).Distinct(StringComparer.Ordinal)];
        return names.Length > 0 ? names : [node.DisplayName()];
    }

    private static IEnumerable<NodeProto> Readers(string value, GraphView view)
    {
        foreach (NodeProto consumer in view.Consumers(value))
        {
            if (consumer.Input.Contains(value))
                yield return consumer;
            foreach (GraphProto body in consumer.Subgraphs().Where(body => CapturedValues.Of(body).Contains(value)))
            {
                foreach (NodeProto inner in Readers(value, view.Inner(body)))
                    yield return inner;
            }
        }
    }
}
