using NestQuant.Onnx;
using NestQuant.Onnx.Graph;

namespace NestQuant.Passes.OperatorSets;

/// <summary>One upgrade of a model: its main graph and its local functions, version by version.</summary>
/// <param name="model">The model, rewritten in place.</param>
/// <param name="rules">The changes by operator and version.</param>
internal sealed class OperatorSetUpgrade(ModelProto model, IReadOnlyDictionary<(string Operator, int Version), UpgradeRule> rules)
{
    private readonly List<(GraphProto Graph, UpgradeAdditions Additions)> _graphs = [];

    /// <summary>Upgrades the model as far as possible.</summary>
    /// <param name="version">The version that it imports.</param>
    /// <param name="target">The version to reach.</param>
    /// <returns>The version reached, and why it is not the target.</returns>
    public (int Version, string? Reason) Run(int version, int target)
    {
        var names = new UniqueNames(model);
        bool hasFloat32Only = FloatTypes.AreFloat32Only(model);
        FunctionGraph[] functions = [.. model.Functions.Select(static function => new FunctionGraph(function))];
        foreach (GraphProto graph in functions.Select(static function => function.Graph).Prepend(model.MainGraph()))
            _graphs.Add((graph, new UpgradeAdditions(names, hasFloat32Only)));

        string? reason = null;
        while (version < target && (reason = Step(version + 1)) is null) version++;
        foreach (FunctionGraph function in functions) function.WriteBack();
        foreach (OperatorSetIdProto import in model.OpsetImport.Concat(model.Functions.SelectMany(static function => function.OpsetImport)))
            if (import.Domain is "" or "ai.onnx") import.Version = version;
        return (version, reason);
    }

    /// <summary>Writes all nodes in a version. Returns why one cannot be, with nothing changed.</summary>
    private string? Step(int version)
    {
        var changes = new List<(NodeProto Node, UpgradeScope Scope, UpgradeRule Rule)>();
        foreach ((GraphProto graph, UpgradeAdditions additions) in _graphs)
        {
            if (!GraphTraversal.AllNodes(graph.Node).Any(node => RuleFor(node, version) is not null)) continue;
            foreach (GraphView view in GraphView.Of(graph).WithInner())
            {
                var scope = new UpgradeScope(view, additions);
                foreach (NodeProto node in view.Graph.Node)
                    if (RuleFor(node, version) is { } rule) changes.Add((node, scope, rule));
            }
        }

        foreach ((NodeProto node, UpgradeScope scope, UpgradeRule rule) in changes)
            if ((WhyParameter(node) ?? rule.WhyNot(node, scope)) is { } reason) return $"{node.OpType} '{node.DisplayName()}': {reason}";
        foreach ((NodeProto node, UpgradeScope scope, UpgradeRule rule) in changes) rule.Apply(node, scope);
        return null;
    }

    /// <summary>Rules look at the values of attributes, which those of a function's nodes may not have.</summary>
    private static string? WhyParameter(NodeProto node) =>
        node.Attribute.Find(static attribute => !string.IsNullOrEmpty(attribute.RefAttrName)) is { } parameter
            ? $"its attribute '{parameter.Name}' is a parameter of the enclosing function"
            : null;

    private UpgradeRule? RuleFor(NodeProto node, int version) =>
        node.IsDefaultDomain() ? rules.GetValueOrDefault((node.OpType, version)) : null;
}
