using Mono.Cecil;

namespace NestQuant.Architecture.Tests;

/// <summary>Which namespaces of an assembly use which, and the groups that use each other in a circle.</summary>
internal sealed class NamespaceGraph
{
    private readonly Dictionary<string, HashSet<string>> _uses = [];

    public NamespaceGraph(string assembly)
    {
        using var module = ModuleDefinition.ReadModule(assembly);
        TypeDefinition[] types = [.. module.Types.Where(type => type.Namespace.StartsWith("NestQuant.", StringComparison.Ordinal))];
        HashSet<string> own = [.. types.Select(type => type.Namespace)];
        foreach (TypeDefinition type in types)
        {
            HashSet<string> used = _uses.TryGetValue(type.Namespace, out HashSet<string>? known) ? known : _uses[type.Namespace] = [];
            used.UnionWith(TypeReferences.Of(type).Select(Outermost).Where(name => name != type.Namespace && own.Contains(name)));
        }
    }

    /// <summary>Every group of namespaces in which each one uses, directly or not, all others.</summary>
    public IEnumerable<string[]> Cycles()
    {
        Dictionary<string, HashSet<string>> reached = _uses.Keys.ToDictionary(name => name, Reached);
        return _uses.Keys
            .Where(name => reached[name].Contains(name))
            .Select(name => reached[name].Where(other => reached[other].Contains(name)).Order(StringComparer.Ordinal).ToArray())
            .DistinctBy(group => string.Join(", ", group));
    }

    private static string Outermost(TypeReference type)
    {
        while (type.DeclaringType is { } outer)
            type = outer;
        return type.Namespace;
    }

    private HashSet<string> Reached(string start)
    {
        var reached = new HashSet<string>();
        var open = new Stack<string>(_uses[start]);
        while (open.TryPop(out string? name))
        {
            if (!reached.Add(name))
                continue;
            foreach (string next in _uses[name])
                open.Push(next);
        }

        return reached;
    }
}
