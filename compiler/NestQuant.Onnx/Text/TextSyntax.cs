using System.Globalization;
using System.Text;

namespace NestQuant.Onnx.Text;

/// <summary>The smallest parts of ONNX's textual syntax: identifiers, literals, types and plain attribute values.</summary>
internal static class TextSyntax
{
    private static readonly string[] AttributeTypeNames =
    [
        "undefined", "float", "int", "string", "tensor", "graph", "floats", "ints", "strings", "tensors", "graphs", "sparse_tensor",
        "sparse_tensors", "type_proto", "type_protos",
    ];

    /// <summary>A name, quoted unless it is a letter or underscore followed by letters, digits and underscores.</summary>
    public static string Identifier(string name)
    {
        var plain = name.Length > 0 && !char.IsAsciiDigit(name[0]) && name.All(c => char.IsAsciiLetterOrDigit(c) || c == '_');
        return plain ? name : Quote(name);
    }

    /// <summary>
    /// Inputs or outputs of a node. An omitted one between others is left blank, which every version of the parser reads; at either end it
    /// needs quotes, or the parser ignores it.
    /// </summary>
    public static string Names(List<string> names) =>
        string.Join(", ", names.Select((name, i) => name.Length == 0 && i > 0 && i < names.Count - 1 ? "" : Identifier(name)));

    /// <summary>A string literal. The syntax escapes quotes and backslashes only.</summary>
    public static string Quote(string text) =>
        $"\"{DisplayText.Escape(text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal))}\"";

    /// <summary>Name of an attribute type.</summary>
    public static string TypeName(AttributeType type) =>
        (uint)type < (uint)AttributeTypeNames.Length ? AttributeTypeNames[(int)type] : "undefined";

    /// <summary>The shortest decimal that reads back as the same value, always with a point, an exponent or a name.</summary>
    public static string Float(double value, bool isDouble = false)
    {
        if (double.IsNaN(value))
            return "nan";
        if (double.IsInfinity(value))
            return value > 0 ? "inf" : "-inf";
        var text = isDouble
            ? value.ToString("R", CultureInfo.InvariantCulture)
            : ((float)value).ToString("R", CultureInfo.InvariantCulture);
        return text.AsSpan().ContainsAny('.', 'E') ? text : text + ".0";
    }

    /// <summary>A type, a space and a name; the name alone when there is no type.</summary>
    public static string ValueInfo(ValueInfoProto value) =>
        value.Type is { } type && Type(type) is { Length: > 0 } text ? $"{text} {Identifier(value.Name)}" : Identifier(value.Name);

    /// <summary>Element type and shape of a constant; no brackets for a scalar.</summary>
    public static string TensorType(TensorProto tensor) =>
        tensor.Dims.Count == 0 ? tensor.DataType.TextName() : $"{tensor.DataType.TextName()}[{string.Join(",", tensor.Dims)}]";

    /// <summary>A type; empty when none of its kinds is set.</summary>
    public static string Type(TypeProto? type) => type switch
    {
        { TensorType: { } t } => Tensor(t.ElemType, t.Shape),
        { SequenceType: { } t } => $"seq({Type(t.ElemType)})",
        { MapType: { } t } => $"map({t.KeyType.TextName()}, {Type(t.ValueType)})",
        { OptionalType: { } t } => $"optional({Type(t.ElemType)})",
        { SparseTensorType: { } t } => $"sparse_tensor({Tensor(t.ElemType, t.Shape)})",
        { OpaqueType: { } t } =>
            $"opaque({(string.IsNullOrEmpty(t.Domain) ? "" : DisplayText.Escape(t.Domain) + ",")}{DisplayText.Escape(t.Name ?? "")})",
        _ => "",
    };

    /// <summary>The value of an attribute that holds no tensor and no graph.</summary>
    public static string Value(AttributeProto attribute) => attribute.Type switch
    {
        AttributeType.Float => Float(attribute.F ?? 0),
        AttributeType.Int => (attribute.I ?? 0).ToString(CultureInfo.InvariantCulture),
        AttributeType.String => Quote(Encoding.UTF8.GetString(attribute.S ?? [])),
        AttributeType.TypeProto => Type(attribute.Tp),
        AttributeType.Floats => List(attribute.Floats, v => Float(v)),
        AttributeType.Ints => List(attribute.Ints, v => v.ToString(CultureInfo.InvariantCulture)),
        AttributeType.Strings => List(attribute.Strings, v => Quote(Encoding.UTF8.GetString(v))),
        AttributeType.TypeProtos => List(attribute.TypeProtos, Type),
        _ => "",
    };

    private static string List<T>(List<T> values, Func<T, string> print) => $"[{string.Join(", ", values.Select(print))}]";

    // In the syntax, a type without brackets is a scalar and one with empty brackets has no known rank.
    private static string Tensor(TensorDataType type, TensorShapeProto? shape) => shape switch
    {
        null => $"{type.TextName()}[]",
        { Dim.Count: 0 } => type.TextName(),
        _ => $"{type.TextName()}[{string.Join(",", shape.Dim.Select(Dimension))}]",
    };

    private static string Dimension(TensorShapeProto.Dimension dimension) => dimension switch
    {
        { DimValue: { } value } => value.ToString(CultureInfo.InvariantCulture),
        { DimParam: { } symbol } => Identifier(symbol),
        _ => "?",
    };
}
