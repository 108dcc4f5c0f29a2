using McMaster.Extensions.CommandLineUtils;
using NestQuant.Compiler.Calibration;
using NestQuant.Compiler.Cli.Output;
using NestQuant.Compiler.Cli.Terminal;
using NestQuant.Passes;
using NestQuant.Passes.GroupNL.Calibration;
using NestQuant.Passes.Guard;
using NestQuant.Passes.Nesting;

namespace NestQuant.Compiler.Cli.Commands;

/// <summary>
/// The options of <c>compile</c> about data: <c>--calibrate</c>, and how it serves the ranges of activations and the refit of an expansion.
/// </summary>
internal sealed class CalibrationOptions(CommandLineApplication command)
{
    private const string NoGuard = "off";

    private readonly CommandOption _source = command.Option(
        "--calibrate <DATA>",
        "inputs of the model, or a .json file that 'calibrate' wrote: for ranges of static activations and, unless it is a .json "
            + "file, for the rounding of weights and the refit of what reads a convolution that --groupnl expand expands",
        CommandOptionType.SingleValue);
    private readonly CommandOption _method = command.Option(
        "--calibration <METHOD>",
        $"how ranges are chosen: {CalibrationMethod.Forms}; default {CalibrationMethod.Default}",
        CommandOptionType.SingleValue);
    private readonly CommandOption _synthetic = command.Option(
        "--synthetic <KIND>",
        "image: random smooth images in the place of --calibrate DATA, for the rounding of weights; --mean and --std as for pictures, "
            + "else about zero mean and unit variance",
        CommandOptionType.SingleValue);
    private readonly CommandOption _samples = command.Option(
        "--calibration-samples <N>",
        $"most samples of DATA that weights are rounded for, evenly spaced; default {WeightCalibration.DefaultSamples}",
        CommandOptionType.SingleValue);
    private readonly CommandOption _guard = command.Option(
        "--activation-guard <DB>",
        "with --calibrate DATA: most dB that quantized activations may cost an output; layers whose activations cost too much run "
            + $"weight-only; off: none does; default {ActivationGuard.DefaultDecibels}",
        CommandOptionType.SingleValue);
    private readonly CommandOption _customOps = command.Option(
        "--custom-ops <LIB>",
        "library with operators that the model uses, as ONNX Runtime loads them; repeatable",
        CommandOptionType.MultipleValue);
    private readonly PictureOptions _pictures = new(command);
    private readonly CommandOption _budget = command.Option(
        "--groupnl-budget <ERROR>",
        "largest relative error of a refitted layer's outputs on DATA, default 0.1: expansions beyond it are undone",
        CommandOptionType.SingleValue);
    private readonly CommandOption _ridge = command.Option(
        "--ridge <STRENGTH>",
        "regularisation of the refit, relative to the mean square of a layer's inputs; default 0.001",
        CommandOptionType.SingleValue);

    /// <summary>
    /// How activations are quantized where the command line does not say: with ranges, where there is something to take them from.
    /// </summary>
    public ActivationMode DefaultActivations(bool nests) => nests && _source.HasValue() ? ActivationMode.Static : ActivationMode.Dynamic;

    /// <summary>What the options ask for.</summary>
    /// <param name="weights">Which weights are nested, and how.</param>
    /// <param name="activations">How activations of nested layers are quantized.</param>
    /// <param name="expands">Whether convolutions are expanded.</param>
    /// <param name="checks">Whether the results are to be loaded.</param>
    /// <exception cref="UsageException">A value is impossible, or an option has nothing to act on.</exception>
    public CalibrationArguments Parse(WeightOptions weights, ActivationMode activations, bool expands, bool checks)
    {
        bool isStatic = weights.Nests && activations == ActivationMode.Static;
        bool stored = _source.Text() is { } path && RangesFile.IsNamed(path);
        bool synthetic = IsSynthetic(), hasData = _source.HasValue() && !stored;
        bool rounds = weights.Nests && (hasData || synthetic) && (weights.SplitRounding is null || weights.AsksForData);
        bool canGuard = weights.Nests && hasData && activations != ActivationMode.WeightOnly;
        double? guard = ParseGuard(canGuard);
        if (synthetic && hasData)
            throw new UsageException("--synthetic makes images in the place of --calibrate DATA: give one of them");
        if (synthetic && !rounds)
            throw new UsageException("--synthetic serves calibrated rounding: give --nest N:H too, and no other --split-rounding");
        if ((weights.Budget is not null || weights.Range == WeightRange.Calibrated) && !rounds)
            throw new UsageException(
                "--budget-bytes, --budget-db and --weight-range calibrated need inputs of the model, and calibrated rounding: give "
                    + "--calibrate DATA too, or --synthetic image");
        if (weights.AsksForData && !rounds)
            throw new UsageException(
                "calibrated rounding needs inputs of the model: give --calibrate DATA too, which is no .json file, or --synthetic image");
        if ((_budget.HasValue() || _ridge.HasValue()) && !(expands && _source.HasValue()))
            throw new UsageException(
                "--groupnl-budget and --ridge say how to refit an expansion: give --groupnl expand and --calibrate DATA too");
        if (stored && expands)
            throw new UsageException(
                $"--calibrate {_source.Text()}: stored ranges cannot refit an expansion, which changes them: give DATA");
        if (_source.HasValue() && !isStatic && !expands && !rounds && guard is null)
        {
            throw new UsageException(weights.Nests
                ? $"--activations {OptionsText.Name(activations)} with weights that are rounded without data needs no --calibrate, "
                    + "unless data guards it (--activation-guard): leave it out"
                : "--calibrate serves nested layers and expanded ones: give --nest N:H or --groupnl expand too");
        }

        if (_samples.HasValue() && !rounds)
            throw new UsageException(
                "--calibration-samples says how much data weights are rounded for: give --nest N:H and --calibrate DATA too");
        if (_method.HasValue() && !(isStatic && _source.HasValue()))
            throw new UsageException(
                "--calibration says how the ranges of static activations are chosen: give --nest N:H and --calibrate too");
        if (_customOps.HasValue() && !checks && !(hasData || synthetic || (isStatic && !stored)))
            throw new UsageException(
                "--custom-ops serves to run and to check the model: give --calibrate DATA too, or leave out --no-check");
        if (_pictures.Given && !hasData && !synthetic)
            throw new UsageException(
                "--size, --mean and --std say how pictures are read: give --calibrate FOLDER or --synthetic image too");
        return new CalibrationArguments(_source.Text(), isStatic, expands, rounds)
        {
            IsSynthetic = synthetic,
            GuardDecibels = guard,
            Samples = _samples.PositiveInteger() ?? WeightCalibration.DefaultSamples,
            Method = ParseMethod(),
            CustomOps = [.. _customOps.Values.Select(library => library!)],
            Pictures = _pictures.Parse(),
            Budget = (_budget.Number(least: 0) ?? GroupNLCalibration.DefaultBudget) is > 0 and var budget
                ? budget
                : throw new UsageException($"--groupnl-budget is '{_budget.Text()}': a positive number is needed"),
            Ridge = _ridge.Number(least: 0) ?? GroupNLCalibration.DefaultRidge,
        };
    }

    /// <summary>What quantized activations may cost in dB; null for no guard.</summary>
    private double? ParseGuard(bool canGuard)
    {
        if (_guard.Text() is NoGuard) return null;
        if (_guard.HasValue() && !canGuard)
            throw new UsageException(
                "--activation-guard measures quantized activations on data: give --nest N:H and --calibrate DATA, which is no .json "
                    + "file, and not --activations weight-only");
        double? decibels = _guard.Number(least: 0, unit: $" of dB, or {NoGuard},");
        return canGuard ? decibels ?? ActivationGuard.DefaultDecibels : null;
    }

    private bool IsSynthetic() => _synthetic.Text() switch
    {
        null => false,
        "image" => true,
        var other => throw new UsageException($"--synthetic is '{other}': image is possible"),
    };

    private CalibrationMethod ParseMethod()
    {
        try
        {
            return _method.Text() is { } text ? CalibrationMethod.Parse(text) : CalibrationMethod.Default;
        }
        catch (FormatException e)
        {
            throw new UsageException($"--calibration: {e.Message}");
        }
    }
}
