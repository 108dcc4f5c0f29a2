using System.Text;
using NestQuant.Onnx;

namespace NestQuant.Security.Tests.Fuzzing.Mutations;

/// <summary>Attributes that are missing, twice there, of another type, or at the borders of their type.</summary>
internal static class AttributeMutations
{
    private static readonly string[] s_names =
    [
        "activation", "activation_max", "activation_min", "alpha", "auto_pad", "axes", "axis", "beta", "blocksize", "body", "ceil_mode",
        "channel_view", "channels_last", "clamp_max", "clamp_min", "count_include_pad", "dilations", "direction", "epsilon", "function",
        "group", "h", "keepdims", "kernel_shape", "layout_version", "mode", "n", "num_outputs", "num_scan_inputs", "output_padding",
        "output_shape", "pads", "perm", "power", "shape", "source", "split", "storage_order", "strides", "then_branch", "to", "transA",
        "transB", "value", "value_ints",
    ];

    public static IReadOnlyList<ModelMutation> All { get; } =
    [
        Of("remove attribute", static (node, attribute, _) => node.Attribute.Remove(attribute)),
        Of("duplicate attribute", static (node, attribute, parts) =>
            node.Attribute.Insert(parts.Random.Next(node.Attribute.Count + 1), attribute)),
        Of("rename attribute", static (_, attribute, parts) => attribute.Name = parts.Random.Pick(s_names)),
        Of("other attribute type", static (_, attribute, parts) => attribute.Type = (AttributeType)parts.Random.Next(17)),
        Of("reference to an attribute", static (_, attribute, parts) => attribute.RefAttrName = parts.Random.Pick(s_names)),
        Of("empty attribute", static (_, attribute, _) => Clear(attribute)),
        Of("extreme attribute", static (_, attribute, parts) => SetExtreme(attribute, parts.Random)),
        Of("extreme element of an attribute", static (_, attribute, parts) => SetElement(attribute, parts.Random)),
        new("additional attribute", static parts =>
        {
            if (parts.Node() is not { } node) return false;
            var attribute = new AttributeProto { Name = parts.Random.Pick(s_names), Type = (AttributeType)parts.Random.Next(1, 9) };
            SetExtreme(attribute, parts.Random);
            node.Attribute.Add(attribute);
            return true;
        }),
        new("attribute of another node", static parts =>
        {
            if (parts.Node() is not { } node || parts.Node() is not { Attribute: { Count: > 0 } others }) return false;
            AttributeProto attribute = parts.Random.Pick(others);
            if (attribute.G is not null) return false;
            node.Attribute.Add(attribute);
            return true;
        }),
    ];

    private static void Clear(AttributeProto attribute)
    {
        (attribute.F, attribute.I, attribute.S, attribute.T, attribute.G) = (null, null, null, null, null);
        attribute.Ints.Clear();
        attribute.Floats.Clear();
        attribute.Strings.Clear();
    }

    private static void SetExtreme(AttributeProto attribute, SeededRandom random)
    {
        switch (attribute.Type)
        {
            case AttributeType.Int:
                attribute.I = Extremes.Integer(random);
                break;
            case AttributeType.Float:
                attribute.F = Extremes.Float(random);
                break;
            case AttributeType.String:
                attribute.S = random.OneIn(4) ? Extremes.Bytes(random) : Encoding.UTF8.GetBytes(Extremes.Text(random));
                break;
            case AttributeType.Ints:
                attribute.Ints.Clear();
                for (int count = Extremes.Count(random); count > 0; count--) attribute.Ints.Add(Extremes.Integer(random));
                break;
            case AttributeType.Floats:
                attribute.Floats.Clear();
                for (int count = Extremes.Count(random); count > 0; count--) attribute.Floats.Add(Extremes.Float(random));
                break;
            case AttributeType.Strings:
                attribute.Strings.Clear();
                for (int count = Extremes.Count(random); count > 0; count--)
                    attribute.Strings.Add(random.OneIn(2) ? [] : "\u001bname"u8.ToArray());
                break;
            default:
                attribute.Type = (AttributeType)random.Next(17);
                break;
        }
    }

    private static void SetElement(AttributeProto attribute, SeededRandom random)
    {
        if (attribute.Ints.Count > 0) attribute.Ints[random.Next(attribute.Ints.Count)] = Extremes.Integer(random);
        else if (attribute.Floats.Count > 0) attribute.Floats[random.Next(attribute.Floats.Count)] = Extremes.Float(random);
        else SetExtreme(attribute, random);
    }

    private static ModelMutation Of(string name, Action<NodeProto, AttributeProto, ModelParts> change) => new(name, parts =>
    {
        if (parts.Node() is not { Attribute.Count: > 0 } node) return false;
        change(node, parts.Random.Pick(node.Attribute), parts);
        return true;
    });
}
