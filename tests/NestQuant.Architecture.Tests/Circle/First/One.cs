using NestQuant.Architecture.Tests.Circle.Second;

namespace NestQuant.Architecture.Tests.Circle.First;

/// <summary>Half of a circle of two namespaces, which <see cref="NamespaceGraph"/> must find.</summary>
internal sealed class One
{
    public Two? Other { get; init; }
}
