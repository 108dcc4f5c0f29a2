using NestQuant.RuntimeOps.Interop;
using NestQuant.RuntimeOps.Packing;
using NestQuant.RuntimeOps.Schema;
using static System.FormattableString;

namespace NestQuant.RuntimeOps.Operators;

/// <summary>An input [levels - 1, M] with one row for every level below full precision, in descending order.</summary>
/// <param name="input">The input.</param>
/// <param name="bits">The weight's levels.</param>
internal sealed unsafe class PartRows(InputSchema input, NestedBits bits)
{
    /// <summary>The input.</summary>
    public InputSchema Input => input;

    /// <summary>The row of a level in a run; null at full precision, and where the node does not have the input.</summary>
    /// <param name="context">The run.</param>
    /// <param name="level">Bits of the level.</param>
    /// <param name="channels">M.</param>
    /// <exception cref="OperatorException">The input has the wrong type or shape.</exception>
    public float* Of(in KernelContext context, int level, long channels)
    {
        if (!context.TryInput(input, out TensorView rows))
            return null;
        float* values = rows.Floats();
        if (rows.Shape is not [var count, var width] || count != bits.Count - 1 || width != channels)
        {
            throw new OperatorException(Invariant(
                $"input '{input.Name}' has the shape {TensorView.Text(rows.Shape)}, [{bits.Count - 1}, {channels}] expected"));
        }

        return level == bits.Full ? null : values + (bits.IndexOf(level) - 1) * channels;
    }
}
