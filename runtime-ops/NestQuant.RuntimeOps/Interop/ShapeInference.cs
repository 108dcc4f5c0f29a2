using System.Runtime.InteropServices;
using System.Text;
using NestQuant.RuntimeOps.Schema;

namespace NestQuant.RuntimeOps.Interop;

/// <summary>Shape inference of one node: what is known of its inputs, and where to say what its output is.</summary>
internal readonly unsafe ref struct ShapeInference(OperatorSchema schema, OrtApi api, void* context)
{
    // No attribute of these operators has more values: shapes of weights, strides, pads.
    private const int MaxInts = 64;

    private readonly OrtApi _api = api;
    private readonly void* _context = context;

    /// <summary>The operator.</summary>
    public OperatorSchema Schema { get; } = schema;

    /// <summary>
    /// The shape of an input, one of <see cref="InputNames"/>, -1 where a dimension is unknown; null when nothing is known.
    /// </summary>
    public long[]? InputShape(string input) => _api.InferredInputShape(_context, Schema[input].Position);

    /// <summary>An int attribute, or its default.</summary>
    public long Int(IntAttribute attribute)
    {
        long value = 0;
        int bytes = _api.InferenceAttribute(
            _context, attribute.Name, OpAttributeType.Int, MemoryMarshal.AsBytes(new Span<long>(ref value)));
        return bytes == sizeof(long) ? value : attribute.Default;
    }

    /// <summary>A list of ints, or null.</summary>
    public long[]? Ints(IntsAttribute attribute)
    {
        Span<long> values = stackalloc long[MaxInts];
        int bytes = _api.InferenceAttribute(_context, attribute.Name, OpAttributeType.Ints, MemoryMarshal.AsBytes(values));
        return bytes <= 0 ? null : values[..(bytes / sizeof(long))].ToArray();
    }

    /// <summary>A string attribute, or its default.</summary>
    public string String(StringAttribute attribute)
    {
        Span<byte> text = stackalloc byte[MaxInts];
        int bytes = _api.InferenceAttribute(_context, attribute.Name, OpAttributeType.String, text);
        return bytes < 0 ? attribute.Default : Encoding.UTF8.GetString(text[..bytes]).TrimEnd('\0');
    }

    /// <summary>States the output's shape, -1 where a dimension is unknown; its type is the schema's.</summary>
    public void SetOutput(ReadOnlySpan<long> shape) => _api.SetInferredOutput(_context, Schema.Output.Type, shape);
}
