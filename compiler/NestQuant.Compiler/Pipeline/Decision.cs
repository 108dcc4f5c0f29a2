namespace NestQuant.Compiler.Pipeline;

/// <summary>What a pass did with one candidate node, with its numbers. Every candidate gets exactly one.</summary>
/// <param name="Pass">Name of the deciding pass.</param>
/// <param name="Node">Name of the node; an unnamed node is called by its first output.</param>
/// <param name="Op">Operator of the node in the source model, for example <c>Conv</c>.</param>
/// <param name="Reason">Null when the node was rewritten, otherwise why it was kept as it was.</param>
/// <param name="Nesting">Numbers of a nested weight; null for other rewrites and for kept nodes.</param>
/// <param name="Note">Further information about a rewrite, such as which operator now executes the node; null when there is none.</param>
/// <param name="Warning">A loss beyond the requested rounding; null when there is none.</param>
public sealed record Decision(
    string Pass, string Node, string Op, string? Reason = null, NestingNumbers? Nesting = null, string? Note = null, string? Warning = null)
{
    /// <summary>Operator of a decision about the whole model.</summary>
    public const string WholeModel = "(model)";

    /// <summary>True when the node was rewritten, false when it was kept.</summary>
    public bool Rewritten => Reason is null;
}
