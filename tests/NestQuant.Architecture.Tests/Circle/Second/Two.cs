using NestQuant.Architecture.Tests.Circle.First;

namespace NestQuant.Architecture.Tests.Circle.Second;

/// <summary>The other half of the circle.</summary>
internal sealed class Two
{
    public One? Other { get; init; }
}
