namespace NestQuant.Compiler.Cli.Configuration;

/// <summary>A key of a configuration file.</summary>
/// <param name="Name">Name of the key.</param>
/// <param name="Description">What it says, for the JSON schema.</param>
internal abstract record ConfigKey(string Name, string Description);

/// <summary>A key whose value is an object with keys of its own.</summary>
/// <param name="Name">Name of the key.</param>
/// <param name="Description">What it says.</param>
/// <param name="Keys">The keys of the object.</param>
internal sealed record ConfigSection(string Name, string Description, IReadOnlyList<ConfigKey> Keys) : ConfigKey(Name, Description);

/// <summary>A key whose value is a list of objects.</summary>
/// <param name="Name">Name of the key.</param>
/// <param name="Description">What it says.</param>
/// <param name="Item">The keys of each object.</param>
/// <param name="Selectors">Names of the keys at least one of which every object has, beside at least one other key.</param>
internal sealed record ConfigList(string Name, string Description, ConfigSection Item, IReadOnlyList<string> Selectors)
    : ConfigKey(Name, Description);

/// <summary>A key with a simple value, or a list of simple values.</summary>
/// <param name="Name">Name of the key.</param>
/// <param name="Description">What it says.</param>
/// <param name="Kind">What the value is.</param>
/// <param name="Option">Long name of the option that says the same on a command line; null for none.</param>
internal sealed record ConfigValue(string Name, string Description, ConfigKind Kind, string? Option = null) : ConfigKey(Name, Description)
{
    /// <summary>The only texts possible; null for any.</summary>
    public IReadOnlyList<string>? Allowed { get; init; }

    /// <summary>A regular expression, in the syntax that JSON schemas and .NET have in common, for the whole text; null for any.</summary>
    public string? Pattern { get; init; }

    /// <summary>What a text of that pattern looks like, for messages.</summary>
    public string? Example { get; init; }

    /// <summary>The smallest number; null for any.</summary>
    public double? Minimum { get; init; }

    /// <summary>The largest number; null for any.</summary>
    public double? Maximum { get; init; }

    /// <summary>Whether numbers have to be larger than <see cref="Minimum"/>.</summary>
    public bool IsExclusive { get; init; }

    /// <summary>Whether the option is given where the value is false, as with <c>--no-check</c>.</summary>
    public bool IsInverted { get; init; }
}

/// <summary>What a value of a configuration file is.</summary>
internal enum ConfigKind
{
    /// <summary>A text.</summary>
    Text,

    /// <summary>A list of texts.</summary>
    Texts,

    /// <summary>True or false.</summary>
    Switch,

    /// <summary>An integer.</summary>
    Integer,

    /// <summary>A number.</summary>
    Number,

    /// <summary>A list of at least one number.</summary>
    Numbers,
}
