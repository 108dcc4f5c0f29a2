namespace NestQuant.RuntimeOps.Sessions.Policies;

/// <summary>
/// Lowers the precision by one level when memory gets short, and raises it again by one when there has been enough for a while. Linux only;
/// elsewhere the precision stays.
/// </summary>
/// <remarks>
/// Memory is short when less than <see cref="Low"/> of what the process may have is available, or when its control group waits for memory
/// more than <see cref="Stall"/> of the time (cgroup v2, <c>memory.pressure</c>, <c>some avg10</c>). There is enough when more than
/// <see cref="High"/> is available and it waits less than a tenth of that. What lies between changes nothing, so that the precision does
/// not swing.
/// </remarks>
public sealed class MemoryPolicy : IPrecisionPolicy
{
    private readonly MemoryReader _reader;
    private readonly TimeProvider _clock;
    private long _enoughSince;

    /// <summary>A policy over this system's memory.</summary>
    public MemoryPolicy()
        : this(new MemoryReader("/"), TimeProvider.System)
    {
    }

    /// <summary>A policy over given readings and time.</summary>
    internal MemoryPolicy(MemoryReader reader, TimeProvider clock)
    {
        _reader = reader;
        _clock = clock;
        _enoughSince = clock.GetTimestamp();
    }

    /// <summary>The available share of memory, 0 to 1, below which the precision falls; 0.1 unless set.</summary>
    public double Low { get; init; } = 0.1;

    /// <summary>The available share of memory, <see cref="Low"/> to 1, above which the precision may rise; 0.2 unless set.</summary>
    public double High { get; init; } = 0.2;

    /// <summary>The share of time waiting for memory, 0 to 1, above which the precision falls; 0.1 unless set.</summary>
    public double Stall { get; init; } = 0.1;

    /// <summary>How long there must be enough memory before the precision rises by a level; 30 seconds unless set.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(30);

    /// <inheritdoc/>
    public int Choose(IReadOnlyList<int> precisions, int bits)
    {
        ArgumentNullException.ThrowIfNull(precisions);
        if (_reader.Read() is not { } memory)
            return bits;
        bool isShort = memory.Available < Low || memory.Stalled > Stall;
        bool isEnough = memory.Available > High && memory.Stalled < Stall / 10;
        if (!isEnough || isShort)
            _enoughSince = _clock.GetTimestamp();
        if (isShort)
            return precisions.FirstOrDefault(precision => precision < bits, bits);
        if (_clock.GetElapsedTime(_enoughSince) < Patience)
            return bits;
        _enoughSince = _clock.GetTimestamp();
        return precisions.LastOrDefault(precision => precision > bits, bits);
    }
}
