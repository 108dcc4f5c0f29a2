using System.Globalization;
using McMaster.Extensions.CommandLineUtils;
using NestQuant.Compiler.Data;
using NestQuant.Passes.GroupNL;
using NestQuant.Passes.GroupNL.Calibration;

namespace NestQuant.Compiler.Cli.Commands;

/// <summary>The options <c>--calibrate</c>, <c>--groupnl-budget</c> and <c>--ridge</c>.</summary>
internal static class CalibrationArguments
{
    /// <summary>How an expansion is calibrated, or null.</summary>
    /// <exception cref="UsageException">A number is impossible, or there is nothing to calibrate.</exception>
    /// <exception cref="Onnx.ModelException">There is no such data, or it is damaged.</exception>
    public static GroupNLCalibration? Parse(CommandOption data, CommandOption budget, CommandOption ridge, GroupNLExpandOptions? expand)
    {
        if (data.Text() is not { } path)
        {
            return budget.HasValue() || ridge.HasValue()
                ? throw new UsageException("--groupnl-budget and --ridge say how to calibrate an expansion: give --calibrate DATA too")
                : null;
        }

        if (expand is null)
            throw new UsageException("--calibrate refits the layers that read an expanded one: give --groupnl expand too");
        double most = Number(budget, GroupNLCalibration.DefaultBudget), strength = Number(ridge, GroupNLCalibration.DefaultRidge);
        if (most <= 0)
            throw new UsageException($"--groupnl-budget is '{budget.Text()}': a positive number is needed");
        return new GroupNLCalibration(Dataset.Open(path)) { Budget = most, Ridge = strength };
    }

    private static double Number(CommandOption option, double fallback)
    {
        if (option.Text() is not { } text)
            return fallback;
        bool valid = double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double number) && double.IsFinite(number) && number >= 0;
        return valid ? number : throw new UsageException($"--{option.LongName} is '{text}': a number of at least 0 is needed");
    }
}
