using NestQuant.Compiler.Calibration;
using NestQuant.Compiler.Pipeline;
using NestQuant.Data;
using NestQuant.Onnx;

namespace NestQuant.Passes.Calibration;

/// <summary>Ranges of activations on a data set, from a sweep in ONNX Runtime.</summary>
public sealed class DataCalibration : IActivationRangeSource
{
    /// <summary>Uses a data set.</summary>
    /// <param name="data">Inputs of the model, finite; read once.</param>
    public DataCalibration(Dataset data)
    {
        ArgumentNullException.ThrowIfNull(data);
        Data = data;
    }

    /// <summary>Inputs of the model.</summary>
    public Dataset Data { get; }

    /// <summary>How ranges are chosen from the values.</summary>
    public CalibrationMethod Method { get; init; } = CalibrationMethod.Default;

    /// <summary>Paths of libraries with operators that the model uses, beside those of ONNX Runtime and of this project.</summary>
    public IReadOnlyList<string> CustomOps { get; init; } = [];

    /// <summary>The statistics themselves, to be stored or merged.</summary>
    /// <param name="context">A prepared model: the result of <see cref="NestQuantCompiler.CreatePipeline"/> without nesting.</param>
    /// <param name="sourceSha256">SHA-256 of the source model's file, lower-case hexadecimal; empty when it is not a file.</param>
    /// <exception cref="ModelException">The data does not fit the model, or a value of it or of an activation is not finite.</exception>
    public CalibrationStatistics Sweep(ModelContext context, string sourceSha256)
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentNullException.ThrowIfNull(sourceSha256);
        return ActivationSweep.Run(context, Data, CustomOps, sourceSha256);
    }

    /// <inheritdoc/>
    public ActivationRanges RangesOf(ModelContext context)
    {
        CalibrationStatistics statistics = Sweep(context, "");
        return statistics.RangesBy(Method, statistics.Values.Keys, context.Threads);
    }

    /// <inheritdoc/>
    public override string ToString() => $"{Method} of {Data.Count} samples";
}
