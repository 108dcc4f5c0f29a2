namespace NestQuant.RuntimeOps.Schema;

/// <summary>Session configuration entries that the operators read; <see cref="NestQuantOps"/> documents them.</summary>
internal static class SessionEntries
{
    /// <summary>The most bits that any run of the session uses.</summary>
    public const string Bits = "nestquant.bits";

    /// <summary>Bytes of decoded weights that each node may keep.</summary>
    public const string Cache = "nestquant.cache";

    /// <summary>Threads of the session, by which work is cut.</summary>
    public const string Threads = "nestquant.threads";
}
