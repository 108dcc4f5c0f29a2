using NestQuant.Compiler.Calibration;
using NestQuant.Compiler.Pipeline;
using NestQuant.Onnx;

namespace NestQuant.Passes.Calibration;

/// <summary>A source of activation ranges: a sweep over data, a file, or a rule that needs neither.</summary>
public interface IActivationRangeSource
{
    /// <summary>The ranges of the activations of a prepared model: cleaned up and folded, its activations still float.</summary>
    /// <param name="context">The model, which stays as it is, and how to use the machine.</param>
    /// <exception cref="ModelException">The ranges cannot be found; the message says why and what to do.</exception>
    ActivationRanges RangesOf(ModelContext context);
}
