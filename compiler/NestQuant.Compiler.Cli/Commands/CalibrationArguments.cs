using NestQuant.Compiler.Calibration;
using NestQuant.Compiler.Cli.Output;
using NestQuant.Data;
using NestQuant.Evaluation;
using NestQuant.Onnx;
using NestQuant.Passes;
using NestQuant.Passes.Calibration;
using NestQuant.Passes.GroupNL.Calibration;
using NestQuant.Passes.Guard;
using NestQuant.Passes.Nesting;

namespace NestQuant.Compiler.Cli.Commands;

/// <summary>What a <c>compile</c> command line asks for about data.</summary>
/// <param name="Source">Path of data, or of stored statistics; null for none.</param>
/// <param name="IsStatic">Whether activations need ranges.</param>
/// <param name="Expands">Whether convolutions are expanded.</param>
/// <param name="RoundsWeights">Whether weights are rounded for the data.</param>
internal sealed record CalibrationArguments(string? Source, bool IsStatic, bool Expands, bool RoundsWeights)
{
    /// <summary>Whether weights are rounded for images that are made here.</summary>
    public required bool IsSynthetic { get; init; }

    /// <summary>What quantized activations may cost in dB; null for no guard.</summary>
    public required double? GuardDecibels { get; init; }

    /// <summary>Most samples that weights are rounded for.</summary>
    public required int Samples { get; init; }

    /// <summary>How ranges are chosen.</summary>
    public required CalibrationMethod Method { get; init; }

    /// <summary>Paths of libraries with operators that the model uses.</summary>
    public required IReadOnlyList<string> CustomOps { get; init; }

    /// <summary>How pictures are read.</summary>
    public required PictureArguments Pictures { get; init; }

    /// <summary>Largest relative error of a refitted layer.</summary>
    public required double Budget { get; init; }

    /// <summary>Regularisation of the refit.</summary>
    public required double Ridge { get; init; }

    /// <summary>The files and folders that are read.</summary>
    public IEnumerable<string> Inputs => Source is null ? CustomOps : CustomOps.Prepend(InputArguments.PathOf(Source));

    /// <summary>The options of a compilation with what they need for a model: ranges, and the data of a refit.</summary>
    /// <exception cref="ModelException">There is no such data, it is damaged, or it is that of another model.</exception>
    public CompilerOptions Apply(CompilerOptions options, ModelProto model)
    {
        Dataset? data = Source is { } path && !RangesFile.IsNamed(path) ? Pictures.Open([path], model) : null;
        GroupNLCalibration? refit = Expands && data is not null
            ? new GroupNLCalibration(data) { Budget = Budget, Ridge = Ridge, CustomOps = CustomOps }
            : null;
        Dataset? rounded = IsSynthetic ? Pictures.Synthesise(model) : data;
        WeightCalibration? rounding = RoundsWeights && rounded is not null
            ? new WeightCalibration(rounded) { Samples = Samples, CustomOps = CustomOps }
            : null;
        return options with
        {
            Weights = options.Weights with { Calibration = rounding },
            GroupNL = options.GroupNL with { Calibration = refit },
            Activations = options.Activations with
            {
                Ranges = IsStatic ? RangesFrom(data, options.SourceSha256 ?? "") : null,
                Guard = GuardDecibels is { } decibels && data is not null
                    ? new ActivationGuard(data) { Decibels = decibels, CustomOps = CustomOps }
                    : null,
            },
        };
    }

    private IActivationRangeSource RangesFrom(Dataset? data, string sourceSha256)
    {
        if (data is not null)
            return new DataCalibration(data) { Method = Method, CustomOps = CustomOps };
        return Source is null
            ? new DataFreeRanges { CustomOps = CustomOps }
            : new StoredRanges(CalibrationJson.Load(Source), Source, sourceSha256) { Method = Method };
    }
}
