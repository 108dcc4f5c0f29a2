using NestQuant.Onnx;

namespace NestQuant.Compiler.Pipeline;

/// <summary>A pass left an invalid model: a defect of the pass, not of its input.</summary>
public sealed class PassException : Exception
{
    /// <summary>Creates the exception.</summary>
    /// <param name="pass">Name of the pass.</param>
    /// <param name="before">Names of the passes that ran before it, first to last.</param>
    /// <param name="problem">What is wrong with the model.</param>
    public PassException(string pass, IReadOnlyList<string> before, ModelException problem)
        : base(Text(pass, before, problem), problem)
    {
        Pass = pass;
        Before = before;
    }

    /// <summary>Name of the pass.</summary>
    public string Pass { get; }

    /// <summary>Names of the passes that ran before it, first to last.</summary>
    public IReadOnlyList<string> Before { get; }

    private static string Text(string pass, IReadOnlyList<string> before, ModelException problem)
    {
        ArgumentNullException.ThrowIfNull(before);
        ArgumentNullException.ThrowIfNull(problem);
        string history = before.Count == 0 ? "no pass ran before it" : $"the passes before it were {string.Join(", ", before)}";
        return $"pass '{pass}' left a model that is not valid: {problem.Message}; {history}";
    }
}
