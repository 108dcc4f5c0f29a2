using NestQuant.RuntimeOps.Interop;
using NestQuant.RuntimeOps.Kernels.Floats;
using NestQuant.RuntimeOps.Schema;
using static System.FormattableString;

namespace NestQuant.RuntimeOps.Operators;

/// <summary>The attributes that bound a float result.</summary>
internal static class OutputBounds
{
    /// <summary>Reads the bounds of a node's results.</summary>
    /// <exception cref="OperatorException">They are not in order.</exception>
    public static ClipBounds Read(in KernelInfo info)
    {
        float min = info.Float(OperatorAttributes.ActivationMin), max = info.Float(OperatorAttributes.ActivationMax);
        return min <= max
            ? new ClipBounds(min, max)
            : throw new OperatorException(Invariant(
                $"attributes '{AttributeNames.ActivationMin}' {min} and '{AttributeNames.ActivationMax}' {max} are not in order"));
    }
}
