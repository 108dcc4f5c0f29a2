namespace NestQuant.Passes.Tests.Nesting.Calibrated;

/// <summary>
/// Tests that use all processors for seconds. They run after the others, alone: constant folding, which others test, stops by time.
/// </summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class SequentialTests
{
    public const string Name = "sequential";
}
