namespace NestQuant.Security.Tests.Fuzzing.Mutations;

/// <summary>One structured change of a model.</summary>
/// <param name="Name">What it does, in words of a repeatable report.</param>
/// <param name="Apply">Changes the model; false when the model has nothing to change.</param>
internal sealed record ModelMutation(string Name, Func<ModelParts, bool> Apply)
{
    /// <summary>Mutations that stay within the nodes and tensors they are given.</summary>
    public static IReadOnlyList<ModelMutation> Local { get; } =
        [.. NodeMutations.Values, .. AttributeMutations.All, .. TensorMutations.All];

    public static IReadOnlyList<ModelMutation> All { get; } =
        [.. Local, .. NodeMutations.Structure, .. GraphMutations.All, .. ExternalDataMutations.All, .. HeaderMutations.All];
}
