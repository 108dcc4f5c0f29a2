namespace NestQuant.Passes.GroupNL;

/// <summary>What happens to the GroupNL blocks of a model.</summary>
public enum GroupNLMode
{
    /// <summary>Every block that is recognised becomes one operator.</summary>
    Fuse,

    /// <summary>Blocks stay as they are.</summary>
    Off,
}
