using System.Runtime.InteropServices;
using System.Text;

namespace NestQuant.RuntimeOps.Interop;

/// <summary>Shape inference of one node: what is known of its inputs, and where to say what its output is.</summary>
internal readonly unsafe ref struct ShapeInference(OrtApi api, void* context)
{
    // No attribute of these operators has more values: shapes of weights, strides, pads.
    private const int MaxInts = 64;

    private readonly OrtApi _api = api;
    private readonly void* _context = context;

    /// <summary>An input's shape, -1 where a dimension is unknown; null when nothing is known.</summary>
    public long[]? InputShape(int index) => _api.InferredInputShape(_context, index);

    /// <summary>An int attribute, or its default.</summary>
    public long Int(string name, long absent)
    {
        long value = 0;
        int bytes = _api.InferenceAttribute(_context, name, OpAttributeType.Int, MemoryMarshal.AsBytes(new Span<long>(ref value)));
        return bytes == sizeof(long) ? value : absent;
    }

    /// <summary>A list of ints, or null.</summary>
    public long[]? Ints(string name)
    {
        Span<long> values = stackalloc long[MaxInts];
        int bytes = _api.InferenceAttribute(_context, name, OpAttributeType.Ints, MemoryMarshal.AsBytes(values));
        return bytes <= 0 ? null : values[..(bytes / sizeof(long))].ToArray();
    }

    /// <summary>A string attribute, or its default.</summary>
    public string String(string name, string absent)
    {
        Span<byte> text = stackalloc byte[MaxInts];
        int bytes = _api.InferenceAttribute(_context, name, OpAttributeType.String, text);
        return bytes < 0 ? absent : Encoding.UTF8.GetString(text[..bytes]).TrimEnd('\0');
    }

    /// <summary>States the output: elements of this type and shape, -1 where a dimension is unknown.</summary>
    public void SetOutput(ElementType type, ReadOnlySpan<long> shape) => _api.SetInferredOutput(_context, type, shape);

    /// <summary>States the output of an operator whose output is float.</summary>
    public void SetFloatOutput(ReadOnlySpan<long> shape) => SetOutput(ElementType.Float, shape);
}
