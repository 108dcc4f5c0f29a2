namespace NestQuant.Passes.Export;

/// <summary>What stands for a value of the compiled model in the exported one.</summary>
/// <param name="Name">Name of the exported value.</param>
/// <param name="ChannelsLastRank">
/// 0 where both are the same; else their rank: the compiled value is the channels-last form of the exported one.
/// </param>
internal readonly record struct ExportedValue(string Name, int ChannelsLastRank = 0)
{
    /// <summary>Whether the exported value has its channels elsewhere than the compiled one.</summary>
    public bool IsTurned => ChannelsLastRank > 0;
}

/// <summary>Names of a scale and a zero point in the exported model.</summary>
internal readonly record struct ExportedParameters(string Scale, string ZeroPoint);
