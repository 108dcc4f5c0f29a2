namespace NestQuant.Compiler.Pipeline;

/// <summary>The decisions of a run, in the order in which the passes made them (graph order inside a pass).</summary>
public sealed class DecisionLog
{
    private readonly List<Decision> _decisions = [];

    /// <summary>All decisions so far.</summary>
    public IReadOnlyList<Decision> Decisions => _decisions;

    /// <summary>Records that a node was rewritten.</summary>
    public void Rewritten(
        string pass, string node, string op, NestingNumbers? nesting = null, string? note = null, string? warning = null) =>
        _decisions.Add(new Decision(pass, node, op, Nesting: nesting, Note: note, Warning: warning));

    /// <summary>Records that a candidate was kept as it was.</summary>
    /// <param name="pass">Name of the deciding pass.</param>
    /// <param name="node">Name of the node.</param>
    /// <param name="op">Operator of the node.</param>
    /// <param name="reason">Why, in words a user can act on.</param>
    public void Kept(string pass, string node, string op, string reason) =>
        _decisions.Add(new Decision(pass, node, op, reason));
}
