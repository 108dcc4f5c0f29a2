namespace NestQuant.Compiler.Cli.Commands;

/// <summary>What a command makes in the place of data.</summary>
internal enum SyntheticKind
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>Smooth random images.</summary>
    Image,

    /// <summary>Seeded values that are valid for every input, token ids above all.</summary>
    Values,
}
