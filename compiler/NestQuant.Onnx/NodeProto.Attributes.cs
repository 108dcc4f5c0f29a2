using System.Text;

namespace NestQuant.Onnx;

/// <content>Reading and setting attributes by name.</content>
public sealed partial class NodeProto
{
    /// <summary>Finds an attribute.</summary>
    /// <param name="name">Name of the attribute.</param>
    /// <returns>The attribute, or null when the node has none of that name.</returns>
    public AttributeProto? GetAttribute(string name) => Attribute.Find(a => a.Name == name);

    /// <summary>Value of an integer attribute.</summary>
    /// <param name="name">Name of the attribute.</param>
    /// <param name="defaultValue">The operator's default, returned when the attribute is absent.</param>
    /// <returns>The value.</returns>
    /// <exception cref="ModelException">The attribute is of another type.</exception>
    public long GetInt(string name, long defaultValue) =>
        Find(name, AttributeType.Int) is { } attribute ? attribute.I ?? 0 : defaultValue;

    /// <summary>Value of a float attribute.</summary>
    /// <param name="name">Name of the attribute.</param>
    /// <param name="defaultValue">The operator's default, returned when the attribute is absent.</param>
    /// <returns>The value.</returns>
    /// <exception cref="ModelException">The attribute is of another type.</exception>
    public float GetFloat(string name, float defaultValue) =>
        Find(name, AttributeType.Float) is { } attribute ? attribute.F ?? 0 : defaultValue;

    /// <summary>Value of a string attribute.</summary>
    /// <param name="name">Name of the attribute.</param>
    /// <param name="defaultValue">The operator's default, returned when the attribute is absent.</param>
    /// <returns>The value.</returns>
    /// <exception cref="ModelException">The attribute is of another type.</exception>
    public string GetString(string name, string defaultValue) =>
        Find(name, AttributeType.String) is { } attribute ? Encoding.UTF8.GetString(attribute.S ?? []) : defaultValue;

    /// <summary>Value of an integer list attribute.</summary>
    /// <param name="name">Name of the attribute.</param>
    /// <returns>A new array, or null when the attribute is absent.</returns>
    /// <exception cref="ModelException">The attribute is of another type.</exception>
    public long[]? GetInts(string name) => Find(name, AttributeType.Ints)?.Ints.ToArray();

    /// <summary>Replaces the attribute of the same name, or appends the attribute.</summary>
    /// <param name="attribute">The attribute.</param>
    public void SetAttribute(AttributeProto attribute)
    {
        ArgumentNullException.ThrowIfNull(attribute);
        var index = Attribute.FindIndex(a => a.Name == attribute.Name);
        if (index < 0)
            Attribute.Add(attribute);
        else
            Attribute[index] = attribute;
    }

    private AttributeProto? Find(string name, AttributeType type)
    {
        var attribute = GetAttribute(name);
        if (attribute is null || attribute.Type == type)
            return attribute;

        throw new ModelException(string.IsNullOrEmpty(attribute.RefAttrName)
            ? $"Attribute '{name}' of {OpType} node '{Name}' is of type {attribute.Type}, not {type}."
            : $"Attribute '{name}' of {OpType} node '{Name}' is a parameter of the enclosing function and has no value of its own.");
    }
}
