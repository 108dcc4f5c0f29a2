using System.Globalization;
using McMaster.Extensions.CommandLineUtils;
using NestQuant.Compiler.Cli.Terminal;
using NestQuant.Data.Corruptions;
using NestQuant.Passes;

namespace NestQuant.Compiler.Cli.Commands;

/// <summary>Option values that several commands share; a wrong value is wrong usage.</summary>
internal static class OptionParsing
{
    /// <summary>The option's single value, or null when it is not given.</summary>
    public static string? Text(this CommandOption option) => option.HasValue() ? option.Value() : null;

    /// <summary>A positive integer, or null when the option is not given.</summary>
    /// <exception cref="UsageException">The value is something else.</exception>
    public static int? PositiveInteger(this CommandOption option)
    {
        if (option.Text() is not { } text)
            return null;
        bool valid = int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int value) && value > 0;
        return valid ? value : throw new UsageException($"--{option.LongName} is '{text}': a positive integer is needed");
    }

    /// <summary>An integer of a range, or null when the option is not given.</summary>
    /// <exception cref="UsageException">The value is something else.</exception>
    public static int? IntegerBetween(this CommandOption option, int least, int most)
    {
        if (option.Text() is not { } text)
            return null;
        bool valid = int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int value) && value >= least && value <= most;
        return valid ? value : throw new UsageException($"--{option.LongName} is '{text}': {least} to {most} are possible");
    }

    /// <summary>A finite number, or null when the option is not given.</summary>
    /// <param name="option">The option.</param>
    /// <param name="least">The least value.</param>
    /// <param name="unit">What it counts, for messages.</param>
    /// <exception cref="UsageException">The value is something else.</exception>
    public static double? Number(this CommandOption option, double least = double.NegativeInfinity, string unit = "")
    {
        if (option.Text() is not { } text)
            return null;
        bool valid = double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double number)
            && double.IsFinite(number)
            && number >= least;
        string bound = double.IsFinite(least) ? string.Create(CultureInfo.InvariantCulture, $" of at least {least}") : "";
        return valid ? number : throw new UsageException($"--{option.LongName} is '{text}': a number{unit}{bound} is needed");
    }

    /// <summary>Distinct bit widths separated by commas, or null when the option is not given.</summary>
    /// <exception cref="UsageException">The value is something else.</exception>
    public static IReadOnlyList<int>? BitWidths(this CommandOption option)
    {
        if (option.Text() is not { } text)
            return null;
        var widths = new List<int>();
        foreach (string part in text.Split(','))
        {
            if (!int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out int bits)
                || bits is < 2 or > 32
                || widths.Contains(bits))
                throw new UsageException($"--{option.LongName} is '{text}': distinct bit widths are needed, for example 8,6");
            widths.Add(bits);
        }

        return widths;
    }

    /// <summary>Finite numbers separated by commas, or null when the option is not given.</summary>
    /// <exception cref="UsageException">The value is something else.</exception>
    public static IReadOnlyList<float>? Numbers(this CommandOption option)
    {
        if (option.Text() is not { } text)
            return null;
        var numbers = new List<float>();
        foreach (string part in text.Split(','))
        {
            if (!float.TryParse(part, NumberStyles.Float, CultureInfo.InvariantCulture, out float number) || !float.IsFinite(number))
                throw new UsageException(
                    $"--{option.LongName} is '{text}': numbers separated by commas are needed, for example 0.485,0.456,0.406");
            numbers.Add(number);
        }

        return numbers;
    }

    /// <summary>A seed, at least 0; 0 when the option is not given.</summary>
    /// <exception cref="UsageException">The value is something else.</exception>
    public static long Seed(this CommandOption option)
    {
        if (option.Text() is not { } text)
            return 0;
        bool valid = long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long seed);
        return valid ? seed : throw new UsageException($"--{option.LongName} is '{text}': an integer of at least 0 is needed");
    }

    /// <summary>Entries <c>KEY=VALUE</c> of a session's configuration, none when the option is not given.</summary>
    /// <exception cref="UsageException">A value has another form.</exception>
    public static IReadOnlyList<(string Key, string Value)> SessionConfig(this CommandOption option) =>
    [
        .. option.Values.Select(entry => entry!.IndexOf('=', StringComparison.Ordinal) is > 0 and var separator
            ? (entry[..separator], entry[(separator + 1)..])
            : throw new UsageException($"--{option.LongName} is '{entry}': KEY=VALUE is needed, for example nestquant.cache=1m")),
    ];

    /// <summary>Corruptions and their severities, or null when the option is not given.</summary>
    /// <exception cref="UsageException">The value has another form.</exception>
    public static CorruptionSelection? Corruptions(this CommandOption option)
    {
        try
        {
            return option.Text() is { } text ? CorruptionSelection.Parse(text) : null;
        }
        catch (FormatException e)
        {
            throw new UsageException($"--{option.LongName}: {e.Message}");
        }
    }

    /// <summary>One of an enumeration's names in lower case, or <paramref name="fallback"/> when the option is not given.</summary>
    /// <exception cref="UsageException">The value is none of them.</exception>
    public static T OneOf<T>(this CommandOption option, T fallback)
        where T : struct, Enum
    {
        if (option.Text() is not { } text)
            return fallback;
        foreach (T value in Enum.GetValues<T>())
        {
            if (text == NameOf(value))
                return value;
        }

        throw new UsageException($"--{option.LongName} is '{text}': {string.Join(", ", Enum.GetValues<T>().Select(NameOf))} are possible");
    }

    private static string NameOf<T>(T value)
        where T : struct, Enum => OptionsText.Name(value);
}
