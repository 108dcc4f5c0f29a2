using NestQuant.Onnx;
using NestQuant.Onnx.Graph;

namespace NestQuant.Passes.Folding;

/// <summary>Limits of memory and time for one run of constant folding, so that no model, hostile or careless, exhausts memory or runs
/// forever.</summary>
/// <remarks>
/// What is folded depends on sizes alone. Time is measured only to end a run that no useful model needs, and that is an error: a slow
/// machine must not emit another model than a fast one.
/// </remarks>
internal sealed class FoldingLimits
{
    /// <summary>A result above this size is folded only where it is no larger than its operands.</summary>
    private const long LargeResultBytes = 1 << 20;

    /// <summary>Bytes that one session, and all sessions together, may produce besides those in proportion to the model's
    /// constants.</summary>
    private const long BaseBytes = 64 << 20;

    /// <summary>Strings have no fixed size; this is about the size of one string object.</summary>
    private const int StringBits = 8 * 64;

    private readonly TimeProvider _clock;
    private readonly long _start;
    private readonly TimeSpan _time;
    private long _left;

    /// <summary>Limits in proportion to the constants of a model.</summary>
    public FoldingLimits(ModelProto model, TimeProvider clock)
    {
        _clock = clock;
        _start = clock.GetTimestamp();
        long constants = ConstantBytes(model);
        SessionBytes = constants + BaseBytes;
        _left = (4 * constants) + BaseBytes;
        _time = TimeSpan.FromSeconds(60 + (constants / (double)(16 << 20)));
    }

    /// <summary>Bytes that the nodes of one session may produce.</summary>
    public long SessionBytes { get; }

    /// <summary>Time that is left.</summary>
    public TimeSpan TimeLeft => _clock.GetElapsedTime(_start) is var elapsed && elapsed < _time ? _time - elapsed : TimeSpan.Zero;

    /// <summary>Size of a model's dense constants, those of subgraphs included.</summary>
    public static long ConstantBytes(ModelProto model) =>
        GraphView.Of(model.MainGraph()).WithInner().SelectMany(static view => view.Graph.Initializer)
        .Where(static tensor => tensor.DataType != TensorDataType.String).Sum(static tensor => tensor.ByteCount);

    /// <summary>Size of a value in bytes.</summary>
    public static long Bytes(ValueInfoProto value)
    {
        TypeProto.Tensor tensor = value.Type!.TensorType!;
        Int128 count = tensor.Shape!.Dim.Aggregate(
            (Int128)1, static (product, extent) => Int128.Min(product * extent.DimValue!.Value, long.MaxValue / StringBits));
        int bits = tensor.ElemType == TensorDataType.String ? StringBits : tensor.ElemType.BitsPerElement();
        return (long)((count * bits) + 7) / 8;
    }

    /// <summary>Why a result is not folded, or null.</summary>
    /// <param name="made">Size of the node's results.</param>
    /// <param name="read">Size of the node's operands, each value once.</param>
    /// <param name="pending">Size of the results of other nodes that are about to be folded with it.</param>
    public string? Objection(long made, long read, long pending)
    {
        if (made > LargeResultBytes && made > read) return $"its result of about {made} bytes would make the model bigger";
        return made > _left - pending ? "folding has produced too many bytes already" : null;
    }

    /// <summary>Subtracts the bytes of folded results from the budget.</summary>
    public void Take(long bytes) => _left -= bytes;
}
