namespace NestQuant.RuntimeOps.Interop;

/// <summary>What a kernel can learn about its node when it is created.</summary>
internal readonly unsafe struct KernelInfo(OrtApi api, void* info)
{
    private readonly OrtApi _api = api;
    private readonly void* _info = info;

    /// <summary>The node's name in the graph; may be empty.</summary>
    public string NodeName => _api.NodeName(_info);

    /// <summary>A session configuration entry, or null when it is not set.</summary>
    public string? ConfigEntry(string key) => _api.ConfigEntry(_info, key);

    /// <summary>Writes a warning to the session's log.</summary>
    public void Warn(string message, string source) => _api.Warn(_info, message, source);

    /// <summary>A constant input; false when the input is absent or not constant.</summary>
    public bool TryConstantInput(int index, string name, out TensorView tensor)
    {
        tensor = default;
        void* value = _api.ConstantInput(_info, index);
        if (value == null || !_api.IsTensor(value))
            return false;
        ReadOnlySpan<long> shape = _api.TensorShape(value, out ElementType type);
        tensor = new TensorView(name, type, shape, _api.TensorData(value));
        return true;
    }

    /// <summary>An int that must be present.</summary>
    public long Int(string name) =>
        _api.TryGetInt(_info, name, out long value) ? value : throw Missing(name, "an int");

    /// <summary>An int with a default.</summary>
    public long Int(string name, long absent) =>
        _api.TryGetInt(_info, name, out long value) ? value : Absent(name, "an int", absent);

    /// <summary>Ints that must be present.</summary>
    public long[] Ints(string name) =>
        _api.TryGetInts(_info, name, out long[] values) && values.Length > 0 ? values : throw Missing(name, "a list of ints");

    /// <summary>Ints, or null when absent.</summary>
    public long[]? OptionalInts(string name) =>
        _api.TryGetInts(_info, name, out long[] values) && values.Length > 0 ? values : Absent<long[]?>(name, "a list of ints", null);

    /// <summary>A float with a default.</summary>
    public float Float(string name, float absent) =>
        _api.TryGetFloat(_info, name, out float value) ? value : Absent(name, "a float", absent);

    /// <summary>A string with a default.</summary>
    public string String(string name, string absent) =>
        _api.TryGetString(_info, name, out string value) ? value : Absent(name, "a string", absent);

    private static OperatorException Missing(string name, string type) => new($"attribute '{name}' is missing or not {type}");

    // ONNX Runtime tells a missing attribute and one of another type apart only in its messages' words: ask for the other types.
    private T Absent<T>(string name, string type, T absent)
    {
        bool isOtherType = _api.TryGetInt(_info, name, out _)
            || (_api.TryGetInts(_info, name, out long[] values) && values.Length > 0)
            || _api.TryGetString(_info, name, out _)
            || _api.HasFloats(_info, name);
        return isOtherType ? throw new OperatorException($"attribute '{name}' is not {type}") : absent;
    }
}
