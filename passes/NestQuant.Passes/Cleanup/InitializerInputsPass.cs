using System.Globalization;
using NestQuant.Compiler.Pipeline;
using NestQuant.Onnx;
using NestQuant.Onnx.Graph;
using NestQuant.Passes.Nesting;
using NestQuant.Passes.Selection;

namespace NestQuant.Passes.Cleanup;

/// <summary>
/// Makes initializers that are also graph inputs constant.
/// <code>
/// f (x, W) with initializer W
/// f (x)    with initializer W
/// </code>
/// </summary>
/// <remarks>
/// Below IR version 4 a model must list every initializer as an input, although a caller cannot feed it. In later versions such an input
/// means that a caller may replace the initializer. Where every initializer of the model is one, that is an old exporter's habit and not
/// meant; where only some are, they stay unless they are named.
/// </remarks>
public sealed class InitializerInputsPass : IGraphPass
{
    private const int FirstVersionWithConstants = 4;

    private readonly bool _keepsOverridable;
    private readonly string[] _constantInputs;

    /// <summary>Creates the pass.</summary>
    /// <param name="keepOverridable">Whether initializers stay inputs also where all are; from IR version 4 on.</param>
    /// <param name="constantInputs">Patterns of the names of initializers that are constants; null for none.</param>
    public InitializerInputsPass(bool keepOverridable = false, IReadOnlyList<string>? constantInputs = null)
    {
        _keepsOverridable = keepOverridable;
        _constantInputs = [.. constantInputs ?? []];
    }

    /// <inheritdoc/>
    public string Name => "initializer-inputs";

    /// <inheritdoc/>
    /// <exception cref="ModelException">No initializer matches a pattern.</exception>
    public PassResult Run(ModelContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        GraphProto main = context.Model.MainGraph();
        string[] names = [.. main.Initializer.Select(static tensor => tensor.Name).Where(static name => name != PrecisionInput.Name)];
        VerifyPatterns(names);
        if (context.Model.IrVersion is < FirstVersionWithConstants)
        {
            foreach (GraphView view in GraphView.Of(main).WithInner())
                view.Graph.Input.RemoveAll(input => view.Initializer(input.Name) is not null);
            context.Model.IrVersion = FirstVersionWithConstants;
            return new PassResult(Changed: true);
        }

        var inputs = main.Input.Select(static input => input.Name).ToHashSet(StringComparer.Ordinal);
        bool areAllInputs = !_keepsOverridable && names.All(inputs.Contains);
        HashSet<string> constants = [.. names.Where(name => areAllInputs || IsNamed(name))];
        int removed = main.Input.RemoveAll(input => constants.Contains(input.Name));
        if (removed == 0) return PassResult.Unchanged;
        string why = areAllInputs ? ", as every initializer was an input" : "";
        context.Decisions.Rewritten(
            Name, main.Name, Decision.WholeModel,
            note: string.Create(CultureInfo.InvariantCulture, $"inputs with a default that are constants: {removed}{why}"));
        return new PassResult(Changed: true);
    }

    private bool IsNamed(string name) => Array.Exists(_constantInputs, pattern => new NamePattern(pattern).Matches(name));

    private void VerifyPatterns(string[] names)
    {
        foreach (string pattern in _constantInputs)
            if (!Array.Exists(names, new NamePattern(pattern).Matches))
                throw new ModelException(
                    $"the constant-inputs pattern '{pattern}' matches no initializer of the model{NearNames.Hint(pattern, names)}");
    }
}
