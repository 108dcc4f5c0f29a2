using NestQuant.RuntimeOps.Kernels.Convolutions;
using NestQuant.RuntimeOps.Kernels.Convolutions.Depthwise;
using NestQuant.RuntimeOps.Kernels.Convolutions.Gathered;
using NestQuant.RuntimeOps.Kernels.Convolutions.ImplicitGemm;
using NestQuant.RuntimeOps.Kernels.Convolutions.Streamed;
using NestQuant.RuntimeOps.Kernels.Convolutions.Strips;
using NestQuant.RuntimeOps.Kernels.Convolutions.Winograd;
using static System.FormattableString;

namespace NestQuant.RuntimeOps.Kernels;

/// <summary>
/// All implementations of integer convolutions and matrix products, in the order in which they are tried: the first that can plan a
/// problem is used. All give the same bits.
/// </summary>
internal static class ImplementationTable
{
    /// <summary>Environment variable that forces an implementation by name.</summary>
    public const string EnvironmentVariable = "NESTQUANT_IMPLEMENTATION";

    /// <summary>The implementations; the last one takes every problem.</summary>
    public static IReadOnlyList<Implementation> All { get; } =
    [
        new("strips", "a tier with strips; one input and one output channel per group, no weight zero points", StripConvolution.TryPlan),
        new("depthwise", "one input and one output channel per group", DepthwiseConvolution.TryPlan),
        new("streamed", "a tier that streams; a product of one to four rows, no weight zero points, no cache", StreamedProduct.TryPlan),
        new("winograd", "a tier with products for it; 3x3, stride 1, large enough, no weight zero points", WinogradConvolution.TryPlan),
        new("implicit-gemm", "a tier with products of tiles; no weight zero points, 32-bit sums", ImplicitGemmConvolution.TryPlan),
        new("gathered", "nothing", GatheredConvolution.TryPlan),
    ];

    /// <summary>The implementation that the environment forces; null for none.</summary>
    /// <exception cref="PlatformNotSupportedException">There is none of this name.</exception>
    public static Implementation? Forced => Find(Environment.GetEnvironmentVariable(EnvironmentVariable));

    /// <summary>An implementation by its name; null for no name.</summary>
    /// <exception cref="PlatformNotSupportedException">There is none of this name.</exception>
    public static Implementation? Find(string? name)
    {
        if (string.IsNullOrEmpty(name))
            return null;
        return All.FirstOrDefault(implementation => implementation.Name == name)
            ?? throw new PlatformNotSupportedException(
                $"{EnvironmentVariable} is '{name}': known implementations are {string.Join(", ", All.Select(static i => i.Name))}");
    }

    /// <summary>Plans a problem.</summary>
    /// <param name="problem">The problem.</param>
    /// <param name="forced">The implementation to use, or null for the first that applies.</param>
    /// <exception cref="PlatformNotSupportedException">The forced implementation does not apply.</exception>
    public static ConvolutionPlan Plan(in ConvolutionProblem problem, Implementation? forced)
    {
        foreach (Implementation implementation in All)
        {
            if ((forced is null || forced == implementation) && implementation.TryPlan(problem) is { } plan)
            {
                plan.Name = implementation.Name;
                return plan;
            }
        }

        throw new PlatformNotSupportedException(Invariant(
            $"{EnvironmentVariable} is '{forced!.Name}', which cannot run a {problem.Geometry} on the tier '{problem.Tier.Name}': ")
            + $"it needs {forced.Needs}");
    }
}
