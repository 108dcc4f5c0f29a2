using NestQuant.RuntimeOps.Kernels.Convolutions;

namespace NestQuant.RuntimeOps.Kernels;

/// <summary>Tells tools of this process which plans are made, for tables of a model's nodes.</summary>
internal static class PlanObserver
{
    /// <summary>
    /// Called on any thread with an operator's and a node's name ("NestedConv node 'conv1'") and the plan; null for nobody.
    /// </summary>
    public static Action<string, PlanNote>? Planned { get; set; }

    /// <summary>Reports a plan.</summary>
    public static void Notify(string title, PlanNote plan) => Planned?.Invoke(title, plan);
}
