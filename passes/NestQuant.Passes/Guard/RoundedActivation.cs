namespace NestQuant.Passes.Guard;

/// <summary>An activation of a <see cref="SwitchedModel"/>, with what only moves its elements.</summary>
/// <param name="Value">Name of the value.</param>
/// <param name="Input">The bool input of the model that says whether it is rounded.</param>
internal sealed record RoundedActivation(string Value, string Input)
{
    /// <summary>First results of the layers that multiply it by weights.</summary>
    public List<string> Layers { get; } = [];
}
