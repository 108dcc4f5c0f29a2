using NestQuant.Compiler.Pipeline;
using NestQuant.Onnx;
using NestQuant.Onnx.Graph;
using NestQuant.RuntimeOps.Packing;
using NestQuant.RuntimeOps.Schema;

namespace NestQuant.Passes.Nesting;

/// <summary>A nested weight in the graph: the names of its operands, and the attributes that describe them.</summary>
/// <param name="Layout">Bit widths, layout and byte lengths.</param>
/// <param name="Tag">The tag that all operands carry.</param>
/// <param name="Shape">Shape of the weight.</param>
/// <param name="High">Name of the packed high bits.</param>
/// <param name="Steps">Names of the packed low operands, that of the lowest step first.</param>
/// <param name="Scale">Name of the scales, float32 [M].</param>
/// <param name="ZeroPoint">Name of the zero points, int32 [M]; empty for symmetric weights.</param>
/// <param name="PartScale">Name of the scales below full precision, float32 [levels - 1, M]; empty where they are the same.</param>
/// <param name="Numbers">The numbers for the decision log.</param>
internal sealed record NestedOperands(
    NestedLayout Layout,
    WeightTag Tag,
    long[] Shape,
    string High,
    IReadOnlyList<string> Steps,
    string Scale,
    string ZeroPoint,
    string PartScale,
    NestingNumbers Numbers)
{
    /// <summary>What the weight loses beyond rounding; null when nothing.</summary>
    public string? Warning { get; private init; }

    /// <summary>The operands by the names of the inputs that read them.</summary>
    public IEnumerable<(string Input, string Value)> Inputs =>
    [
        (InputNames.WeightHigh, High),
        .. Steps.Select(static (name, position) => (InputNames.WeightStep(position + 1), name)),
        (InputNames.WeightScale, Scale),
        (InputNames.WeightZeroPoint, ZeroPoint),
        (InputNames.PartScale, PartScale),
    ];

    /// <summary>Packs a nested weight and adds its operands to the main graph.</summary>
    public static NestedOperands Add(NestedWeight nested, TensorProto weight, GraphView main, UniqueNames names, ParallelOptions parallel)
    {
        var layout = new NestedLayout(nested.Bits, nested.View);
        byte[][] packed = Pack(nested, layout, parallel);
        WeightTag tag = NestedPacker.Seal(layout, packed);

        LevelNumbers[] levels =
        [
            .. nested.Bits.Levels.Select((bits, level) => new LevelNumbers(bits, packed[^(level + 1)].Length, nested.SqnrDb(level))),
        ];
        int[] zeroPoints = nested.ZeroPoints;
        long channels = zeroPoints.Length;
        var operands = new NestedOperands(
            layout,
            tag,
            [.. weight.Dims],
            AddBytes(main, names.Next(weight.Name + "_high"), packed[0]),
            [.. packed.Skip(1).Select((step, position) => AddBytes(main, names.Next(weight.Name + StepSuffix(position)), step))],
            names.Next(weight.Name + "_scale"),
            zeroPoints.Any(static zeroPoint => zeroPoint != 0) ? names.Next(weight.Name + "_zero_point") : "",
            nested.PartScales is null ? "" : names.Next(weight.Name + "_part_scale"),
            new NestingNumbers(levels, layout.View.Count, weight.ByteCount))
        {
            Warning = nested.Loss,
        };
        main.AddInitializer(TensorProto.FromFloats(operands.Scale, [channels], nested.Scales));
        if (operands.ZeroPoint.Length > 0) main.AddInitializer(TensorProto.FromInt32s(operands.ZeroPoint, [channels], zeroPoints));
        if (nested.PartScales is { } partScales)
            main.AddInitializer(TensorProto.FromFloats(operands.PartScale, [partScales.Length / channels, channels], partScales));
        return operands;
    }

    /// <summary>The high operand, then the low one of every step.</summary>
    private static byte[][] Pack(NestedWeight nested, NestedLayout layout, ParallelOptions parallel)
    {
        var packed = new byte[layout.Bits.Count][];
        for (int step = 0; step < packed.Length; step++)
        {
            int operand = step;
            byte[] bytes = packed[step] = new byte[layout.ByteLength(step)];
            sbyte[] values = step == 0 ? nested.Levels[^1] : nested.Low(layout.Bits.Count - 1 - step);
            Parallel.For(0, layout.Panels, parallel, panel => NestedPacker.PackPanels(layout, operand, panel, 1, values, bytes));
        }

        return packed;
    }

    private static string StepSuffix(int position) => position == 0 ? "_low" : FormattableString.Invariant($"_low_{position + 1}");

    /// <summary>Adds the attributes that every nested operator has.</summary>
    public void Describe(NodeProto node)
    {
        NestedLevels.Describe(node, Layout.Bits);
        node.Attribute.Add(AttributeProto.Int(AttributeNames.LayoutVersion, Layout.Version));
        node.Attribute.Add(AttributeProto.String(AttributeNames.WeightTag, Tag.ToString()));
        node.Attribute.Add(AttributeProto.IntList(AttributeNames.Shape, Shape));
    }

    /// <summary>Adds the attribute that names the output channels, for operators whose shape does not imply them.</summary>
    public void DescribeChannels(NodeProto node)
    {
        ChannelView view = Layout.View;
        node.Attribute.Add(AttributeProto.IntList(AttributeNames.ChannelView, view.Groups, view.Inner, view.Channels, view.Taps));
    }

    private static string AddBytes(GraphView main, string name, byte[] bytes)
    {
        main.AddInitializer(TensorProto.FromBytes(name, TensorDataType.UInt8, [bytes.Length], bytes));
        return name;
    }
}
