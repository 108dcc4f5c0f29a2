using System.Globalization;
using NestQuant.Onnx.Graph;

namespace NestQuant.Onnx.Validation;

/// <summary>
/// The rules that every model must satisfy before anything uses it, so that no pass has to check them again: nodes with the inputs, outputs
/// and attributes that their operators need; names that are defined once and before they are read; functions that can be inlined;
/// tensors whose type, shape and content match. Takes time linear in the model and does not read external data.
/// </summary>
public static class ModelValidation
{
    /// <summary>
    /// Checks a model. Loading one does so; a model that was built or changed in memory is checked before it is compiled.
    /// </summary>
    /// <exception cref="ModelException">The model breaks a rule; the message says which and where.</exception>
    public static void Verify(ModelProto model)
    {
        ArgumentNullException.ThrowIfNull(model);
        VerifyOperatorSets(model.OpsetImport);
        foreach (TensorProto tensor in TensorWalk.Tensors(model)) TensorValidation.Verify(tensor);
        var functions = new FunctionTable(model);
        new GraphValidator(functions, model.OpsetVersion()).Verify(model.MainGraph());
        foreach (FunctionProto function in model.Functions)
        {
            VerifyOperatorSets(function.OpsetImport);
            new GraphValidator(functions, function.OpsetImport.DefaultVersion() ?? model.OpsetVersion()).Verify(function);
        }
    }

    private static void VerifyOperatorSets(List<OperatorSetIdProto> imports)
    {
        var versions = new Dictionary<string, long?>(StringComparer.Ordinal);
        foreach (OperatorSetIdProto import in imports)
        {
            string domain = import.Domain == "ai.onnx" ? "" : import.Domain;
            if (!versions.TryAdd(domain, import.Version) && versions[domain] != import.Version)
            {
                throw new ModelException(string.Create(
                    CultureInfo.InvariantCulture,
                    $"versions {versions[domain] ?? 0} and {import.Version ?? 0} of the operator set '{domain}' are both imported"));
            }
        }
    }
}
