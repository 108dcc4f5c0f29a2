namespace NestQuant.RuntimeOps.Sessions.Policies;

/// <summary>How much memory a process may still have.</summary>
/// <param name="Available">Share of its limit that is available, 0 to 1; the least of the system and all its control groups.</param>
/// <param name="Stalled">Share of the last ten seconds in which some task of its control group waited for memory; 0 where unknown.</param>
internal readonly record struct MemoryReading(double Available, double Stalled);
