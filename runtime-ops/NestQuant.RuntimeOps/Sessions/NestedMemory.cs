namespace NestQuant.RuntimeOps.Sessions;

/// <summary>Memory of a session's nested weights, in bytes.</summary>
public sealed class NestedMemory
{
    internal NestedMemory()
    {
    }

    /// <summary>The high operands that are mapped from files.</summary>
    public long High { get; internal init; }

    /// <summary>The low operands of all steps that are mapped from files.</summary>
    public long Low { get; internal init; }

    /// <summary>What of <see cref="High"/> is in this process's memory; null where the system does not say.</summary>
    public long? ResidentHigh { get; internal init; }

    /// <summary>What of <see cref="Low"/> is in this process's memory; null where the system does not say.</summary>
    public long? ResidentLow { get; internal init; }

    /// <summary>Operands that ONNX Runtime holds in memory of its own; they are never given back.</summary>
    public long Unmapped { get; internal init; }

    /// <summary>Decoded weights kept from run to run (<see cref="NestQuantOps.CacheConfigEntry"/>).</summary>
    public long Cached { get; internal init; }
}
