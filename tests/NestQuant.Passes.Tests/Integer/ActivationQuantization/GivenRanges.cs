using NestQuant.Compiler.Calibration;
using NestQuant.Compiler.Pipeline;
using NestQuant.Passes.Calibration;

namespace NestQuant.Passes.Tests.Integer.ActivationQuantization;

/// <summary>The same range for every value that is named.</summary>
internal sealed class GivenRanges(TensorRange range, params string[] values) : IActivationRangeSource
{
    public ActivationRanges RangesOf(ModelContext context) =>
        new(values.ToDictionary(static value => value, _ => range, StringComparer.Ordinal));
}
