using McMaster.Extensions.CommandLineUtils;
using NestQuant.Compiler.Cli.Terminal;
using NestQuant.Passes;
using NestQuant.Passes.Nesting;
using NestQuant.RuntimeOps.Packing;

namespace NestQuant.Compiler.Cli.Commands;

/// <summary>The options of <c>compile</c> about weights and activations.</summary>
internal sealed class WeightArguments(CommandLineApplication command)
{
    private const string Floor = "floor", WeightOnlySynonym = "none";

    private readonly CommandOption _nest = command.Option(
        "--nest <BITS>",
        "N:H, for example 8:6: nest the weights with N bits in full and H bits in part precision, 2 <= H < N <= 8; "
            + "or more levels, for example 8:6:4:3:2",
        CommandOptionType.SingleValue);
    private readonly CommandOption _rounding = command.Option(
        "--rounding <KIND>",
        "rounding of the N bits: adaptive (default), nearest or, with --calibrate, calibrated; floor is adaptive with "
            + "--split-rounding floor",
        CommandOptionType.SingleValue);
    private readonly CommandOption _split = command.Option(
        "--split-rounding <KIND>",
        "rounding of the lower levels: calibrated (default with --calibrate DATA), adaptive, nearest or floor; default without data: as "
            + "--rounding",
        CommandOptionType.SingleValue);
    private readonly CommandOption _scheme = command.Option(
        "--weights <KIND>", "symmetric (default) or affine", CommandOptionType.SingleValue);
    private readonly CommandOption _range = command.Option(
        "--weight-range <KIND>",
        "minmax (default): the N bits hold all weights of a channel; calibrated: a smaller range where that is better on DATA",
        CommandOptionType.SingleValue);
    private readonly CommandOption _budgetBytes = command.Option(
        "--budget-bytes <N>",
        "choose H weight by weight, from that of --nest on, by errors on DATA: at most N bytes of high bits",
        CommandOptionType.SingleValue);
    private readonly CommandOption _budgetDb = command.Option(
        "--budget-db <D>",
        "the same until the layers' relative errors add up to -D dB; with --budget-bytes, what is reached first must reach D",
        CommandOptionType.SingleValue);
    private readonly CommandOption _activations = command.Option(
        "--activations <KIND>",
        "static (default with --calibrate): integer execution, quantized with known ranges; dynamic (default without): with "
            + "ranges found at run time; weight-only: float execution",
        CommandOptionType.SingleValue);
    private readonly CommandOption _include = command.Option(
        "--include <PATTERN>", "nest nodes of matching names only; repeatable", CommandOptionType.MultipleValue);
    private readonly CommandOption _exclude = command.Option(
        "--exclude <PATTERN>",
        "leave nodes of matching names as they are; * and ? are wildcards; repeatable",
        CommandOptionType.MultipleValue);

    /// <summary>Which weights are nested, and how.</summary>
    /// <param name="rules">Settings for some nodes, which a configuration file gives.</param>
    /// <exception cref="UsageException">A value is impossible, or an option has nothing to act on.</exception>
    public WeightOptions Parse(IReadOnlyList<WeightRule> rules)
    {
        bool isFloor = _rounding.Text() == Floor;
        if (isFloor && _split.HasValue())
            throw new UsageException("--rounding floor says how to split too: give --rounding adaptive with --split-rounding");
        var options = new WeightOptions
        {
            Bits = ParseBits(_nest.Text()),
            Scheme = _scheme.OneOf(WeightScheme.Symmetric),
            Rounding = isFloor ? WeightRounding.Adaptive : _rounding.OneOf(WeightRounding.Adaptive),
            SplitRounding = isFloor ? WeightRounding.Floor : _split.HasValue() ? _split.OneOf(WeightRounding.Adaptive) : null,
            Range = _range.OneOf(WeightRange.MinMax),
            Budget = _budgetBytes.HasValue() || _budgetDb.HasValue()
                ? new BitBudget { Bytes = _budgetBytes.PositiveInteger(), Decibels = _budgetDb.Number(unit: " of dB") }
                : null,
            Include = [.. _include.Values.Select(pattern => pattern!)],
            Exclude = [.. _exclude.Values.Select(pattern => pattern!)],
            Rules = rules,
        };
        CommandOption[] dependent = [_rounding, _split, _scheme, _range, _budgetBytes, _budgetDb, _activations, _include, _exclude];
        if (!options.Nests && Array.Exists(dependent, static option => option.HasValue()))
        {
            string names = string.Join(", ", dependent.SkipLast(1).Select(static option => $"--{option.LongName}"));
            throw new UsageException($"{names} and --{dependent[^1].LongName} say how to nest: give --nest N:H too");
        }

        try
        {
            options.Verify();
            return options;
        }
        catch (ArgumentException e)
        {
            throw new UsageException(e.Message);
        }
    }

    /// <summary>How activations are quantized.</summary>
    /// <param name="fallback">Where no option says.</param>
    /// <exception cref="UsageException">The value is impossible.</exception>
    public ActivationMode ParseActivations(ActivationMode fallback) =>
        _activations.Text() == WeightOnlySynonym ? ActivationMode.WeightOnly : _activations.OneOf(fallback);

    /// <summary>Gives the options what they were found to say, defaults and abbreviations written out.</summary>
    public void Set(WeightOptions options, ActivationMode mode, bool hasData)
    {
        if (!options.Nests)
            return;
        Set(_rounding, OptionsText.Name(options.Rounding));
        if (options.SplitRounding is { } split)
            Set(_split, OptionsText.Name(split));
        else if (hasData)
            Set(_split, OptionsText.Name(WeightRounding.Calibrated));
        Set(_scheme, OptionsText.Name(options.Scheme));
        Set(_activations, OptionsText.Name(mode));

        static void Set(CommandOption option, string value)
        {
            option.Values.Clear();
            option.Values.Add(value);
        }
    }

    private static NestedBits? ParseBits(string? text)
    {
        try
        {
            return text is null ? null : NestedBits.Parse(text);
        }
        catch (Exception e) when (e is FormatException or ArgumentException)
        {
            throw new UsageException($"--nest: {e.Message}");
        }
    }
}
