using System.Text;

namespace NestQuant.Onnx;

/// <content>Attributes from values.</content>
public sealed partial class AttributeProto
{
    /// <summary>Makes an integer attribute.</summary>
    /// <param name="name">Name of the attribute.</param>
    /// <param name="value">The value.</param>
    /// <returns>The attribute.</returns>
    public static AttributeProto Int(string name, long value) => new() { Name = name, Type = AttributeType.Int, I = value };

    /// <summary>Makes a float attribute.</summary>
    /// <param name="name">Name of the attribute.</param>
    /// <param name="value">The value.</param>
    /// <returns>The attribute.</returns>
    public static AttributeProto Float(string name, float value) => new() { Name = name, Type = AttributeType.Float, F = value };

    /// <summary>Makes a string attribute.</summary>
    /// <param name="name">Name of the attribute.</param>
    /// <param name="value">The text, stored as UTF-8.</param>
    /// <returns>The attribute.</returns>
    public static AttributeProto String(string name, string value) =>
        new() { Name = name, Type = AttributeType.String, S = Encoding.UTF8.GetBytes(value) };

    /// <summary>Makes a tensor attribute.</summary>
    /// <param name="name">Name of the attribute.</param>
    /// <param name="value">The tensor, which is not copied.</param>
    /// <returns>The attribute.</returns>
    public static AttributeProto Tensor(string name, TensorProto value) => new() { Name = name, Type = AttributeType.Tensor, T = value };

    /// <summary>Makes a graph attribute.</summary>
    /// <param name="name">Name of the attribute.</param>
    /// <param name="value">The graph, which is not copied.</param>
    /// <returns>The attribute.</returns>
    public static AttributeProto Graph(string name, GraphProto value) => new() { Name = name, Type = AttributeType.Graph, G = value };

    /// <summary>Makes an integer list attribute (the schema's field already has the name Ints).</summary>
    /// <param name="name">Name of the attribute.</param>
    /// <param name="values">The values, which are copied.</param>
    /// <returns>The attribute.</returns>
    public static AttributeProto IntList(string name, params ReadOnlySpan<long> values)
    {
        var attribute = new AttributeProto { Name = name, Type = AttributeType.Ints };
        attribute.Ints.AddRange(values);
        return attribute;
    }

    /// <summary>Makes a float list attribute (the schema's field already has the name Floats).</summary>
    /// <param name="name">Name of the attribute.</param>
    /// <param name="values">The values, which are copied.</param>
    /// <returns>The attribute.</returns>
    public static AttributeProto FloatList(string name, params ReadOnlySpan<float> values)
    {
        var attribute = new AttributeProto { Name = name, Type = AttributeType.Floats };
        attribute.Floats.AddRange(values);
        return attribute;
    }

    /// <summary>Makes a string list attribute (the schema's field already has the name Strings).</summary>
    /// <param name="name">Name of the attribute.</param>
    /// <param name="values">The texts, stored as UTF-8.</param>
    /// <returns>The attribute.</returns>
    public static AttributeProto StringList(string name, params ReadOnlySpan<string> values)
    {
        var attribute = new AttributeProto { Name = name, Type = AttributeType.Strings };
        foreach (var value in values)
            attribute.Strings.Add(Encoding.UTF8.GetBytes(value));
        return attribute;
    }
}
