using NestQuant.Compiler.Pipeline;
using NestQuant.Onnx;
using NestQuant.Onnx.Graph;
using NestQuant.RuntimeOps.Packing;
using NestQuant.RuntimeOps.Schema;

namespace NestQuant.Passes.Nesting;

/// <summary>A nested weight in the graph: the names of its operands, and the attributes that describe them.</summary>
/// <param name="Layout">Bit widths, layout and byte lengths.</param>
/// <param name="Tag">The tag that both operands carry.</param>
/// <param name="Shape">Shape of the weight.</param>
/// <param name="High">Name of the packed high bits.</param>
/// <param name="Low">Name of the packed low bits.</param>
/// <param name="Scale">Name of the scales, float32 [M].</param>
/// <param name="ZeroPoint">Name of the zero points, int32 [M]; empty for symmetric weights.</param>
/// <param name="Numbers">The numbers for the decision log.</param>
internal sealed record NestedOperands(
    NestedLayout Layout, WeightTag Tag, long[] Shape, string High, string Low, string Scale, string ZeroPoint, NestingNumbers Numbers)
{
    /// <summary>Groups of external data: one file each, so that the low bits can come and go by themselves.</summary>
    public const string HighGroup = "high", LowGroup = "low";

    /// <summary>What the weight loses beyond rounding; null when nothing.</summary>
    public string? Warning { get; private init; }

    /// <summary>The operands by the names of the inputs that read them.</summary>
    public IEnumerable<(string Input, string Value)> Inputs =>
    [
        (InputNames.WeightHigh, High),
        (InputNames.WeightLow, Low),
        (InputNames.WeightScale, Scale),
        (InputNames.WeightZeroPoint, ZeroPoint),
    ];

    /// <summary>Packs a nested weight and adds its operands to the main graph.</summary>
    public static NestedOperands Add(NestedWeight nested, TensorProto weight, GraphView main, UniqueNames names, ParallelOptions parallel)
    {
        NestedLayout layout = nested.Layout;
        var high = new byte[layout.HighByteLength];
        var low = new byte[layout.LowByteLength];
        Parallel.For(0, layout.Panels, parallel, panel =>
        {
            NestedPacker.PackPanels(layout, 0, panel, 1, nested.High, high);
            NestedPacker.PackPanels(layout, 1, panel, 1, nested.Low, low);
        });
        WeightTag tag = NestedPacker.Seal(layout, high, low);

        int[] zeroPoints = nested.ZeroPoints;
        var operands = new NestedOperands(
            layout,
            tag,
            [.. weight.Dims],
            AddBytes(main, names.Next(weight.Name + "_high"), high, HighGroup),
            AddBytes(main, names.Next(weight.Name + "_low"), low, LowGroup),
            names.Next(weight.Name + "_scale"),
            zeroPoints.Any(static zeroPoint => zeroPoint != 0) ? names.Next(weight.Name + "_zero_point") : "",
            new NestingNumbers(
                layout.Bits.Full, layout.Bits.High, layout.View.Count, weight.ByteCount, high.Length, low.Length, nested.SqnrFullDb,
                nested.SqnrPartDb))
        {
            Warning = nested.Loss,
        };
        main.AddInitializer(TensorProto.FromFloats(operands.Scale, [zeroPoints.Length], nested.Scales));
        if (operands.ZeroPoint.Length > 0) main.AddInitializer(TensorProto.FromInt32s(operands.ZeroPoint, [zeroPoints.Length], zeroPoints));
        return operands;
    }

    /// <summary>Adds the attributes that every nested operator has.</summary>
    public void Describe(NodeProto node)
    {
        node.Attribute.Add(AttributeProto.Int(AttributeNames.FullBits, Layout.Bits.Full));
        node.Attribute.Add(AttributeProto.Int(AttributeNames.HighBits, Layout.Bits.High));
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

    private static string AddBytes(GraphView main, string name, byte[] bytes, string group)
    {
        TensorProto tensor = TensorProto.FromBytes(name, TensorDataType.UInt8, [bytes.Length], bytes);
        tensor.ExternalGroup = group;
        main.AddInitializer(tensor);
        return name;
    }
}
