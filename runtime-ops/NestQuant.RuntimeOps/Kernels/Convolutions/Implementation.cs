namespace NestQuant.RuntimeOps.Kernels.Convolutions;

/// <summary>One way to compute a convolution.</summary>
/// <param name="Name">Its name in logs, in tables and in the environment variable that forces it.</param>
/// <param name="Needs">What it needs of the tier, the shape and the weights, for readers and messages.</param>
/// <param name="TryPlan">Plans a problem; null where something is missing that it needs.</param>
internal sealed record Implementation(string Name, string Needs, PlanFactory TryPlan);

/// <summary>Plans a problem.</summary>
/// <param name="problem">The problem.</param>
/// <returns>Null where the implementation does not apply.</returns>
internal delegate ConvolutionPlan? PlanFactory(in ConvolutionProblem problem);
