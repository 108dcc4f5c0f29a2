using NestQuant.RuntimeOps.Schema;

namespace NestQuant.RuntimeOps.Interop;

/// <summary>What a kernel can learn about its node when it is created.</summary>
internal readonly unsafe struct KernelInfo(OperatorSchema schema, OrtApi api, void* info)
{
    private readonly OrtApi _api = api;
    private readonly void* _info = info;

    /// <summary>The node's operator.</summary>
    public OperatorSchema Schema { get; } = schema;

    /// <summary>The node's name in the graph; may be empty.</summary>
    public string NodeName => _api.NodeName(_info);

    /// <summary>A session configuration entry, or null when it is not set.</summary>
    public string? ConfigEntry(string key) => _api.ConfigEntry(_info, key);

    /// <summary>Writes a warning to the session's log.</summary>
    public void Warn(string message, string source) => _api.Warn(_info, message, source);

    /// <summary>A constant input; false when the input is absent or not constant.</summary>
    public bool TryConstantInput(InputSchema input, out TensorView tensor)
    {
        tensor = default;
        void* value = _api.ConstantInput(_info, input.Position);
        if (value == null || !_api.IsTensor(value))
            return false;
        ReadOnlySpan<long> shape = _api.TensorShape(value, out ElementType type);
        tensor = new TensorView(input.Name, type, shape, _api.TensorData(value));
        return true;
    }

    /// <summary>An int, or its default.</summary>
    /// <exception cref="OperatorException">It is required and absent, or it is no int.</exception>
    public long Int(IntAttribute attribute) =>
        _api.TryGetInt(_info, attribute.Name, out long value) ? value : Absent(attribute, "an int", attribute.Default);

    /// <summary>Ints that must be present.</summary>
    /// <exception cref="OperatorException">They are absent, or no list of ints.</exception>
    public long[] Ints(IntsAttribute attribute) => OptionalInts(attribute) ?? throw Missing(attribute, "a list of ints");

    /// <summary>Ints, or null when absent.</summary>
    /// <exception cref="OperatorException">They are no list of ints.</exception>
    public long[]? OptionalInts(IntsAttribute attribute) =>
        _api.TryGetInts(_info, attribute.Name, out long[] values) && values.Length > 0
            ? values
            : Absent<long[]?>(attribute, "a list of ints", null);

    /// <summary>A float, or its default.</summary>
    /// <exception cref="OperatorException">It is required and absent, or it is no float.</exception>
    public float Float(FloatAttribute attribute) =>
        _api.TryGetFloat(_info, attribute.Name, out float value) ? value : Absent(attribute, "a float", attribute.Default);

    /// <summary>A string, or its default.</summary>
    /// <exception cref="OperatorException">It is required and absent, or it is no string.</exception>
    public string String(StringAttribute attribute) =>
        _api.TryGetString(_info, attribute.Name, out string value) ? value : Absent(attribute, "a string", attribute.Default);

    private static OperatorException Missing(AttributeSchema attribute, string type) =>
        new($"attribute '{attribute.Name}' is missing or not {type}");

    // ONNX Runtime tells a missing attribute and one of another type apart only in its messages' words: ask for the other types.
    private T Absent<T>(AttributeSchema attribute, string type, T absent)
    {
        if (attribute.IsRequired)
            throw Missing(attribute, type);
        string name = attribute.Name;
        bool isOtherType = _api.TryGetInt(_info, name, out _)
            || (_api.TryGetInts(_info, name, out long[] values) && values.Length > 0)
            || _api.TryGetString(_info, name, out _)
            || _api.HasFloats(_info, name);
        return isOtherType ? throw new OperatorException($"attribute '{name}' is not {type}") : absent;
    }
}
