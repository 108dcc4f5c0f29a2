using NestQuant.RuntimeOps.Kernels.GroupNL.Functions;

namespace NestQuant.RuntimeOps.Schema;

/// <summary>
/// Values of the attribute <see cref="AttributeNames.Function"/>: what generates a map from u = (n - shift) * period, n being a normalised
/// seed map.
/// </summary>
/// <remarks>
/// The sine is GroupNL's (arXiv 2506.12335); the others are those that the released code of MonoCNN, by the same first author, generates
/// filters with. There a monomial's exponent is a real number drawn for each filter; here it is one integer for all maps.
/// </remarks>
internal static class GroupNLFunctions
{
    /// <summary>sin(u).</summary>
    public const string Sine = "sine";

    /// <summary>exp(-u^2).</summary>
    public const string Gaussian = "gaussian";

    /// <summary>sqrt(1 + u^2).</summary>
    public const string Multiquadric = "multiquadric";

    /// <summary>1 / (1 + u^2).</summary>
    public const string InverseQuadratic = "inverse_quadratic";

    /// <summary>1 / sqrt(1 + u^2).</summary>
    public const string InverseMultiquadric = "inverse_multiquadric";

    /// <summary>sign(u) |u|^p, p being the attribute <see cref="AttributeNames.Power"/>.</summary>
    public const string Monomial = "monomial";

    /// <summary>The exponents that a monomial may have.</summary>
    public const int LeastPower = 2, GreatestPower = 16;

    /// <summary>The exponent of a monomial that names none.</summary>
    public const int DefaultPower = 3;

    /// <summary>All functions.</summary>
    public static IReadOnlyList<string> All { get; } = [Sine, Gaussian, Multiquadric, InverseQuadratic, InverseMultiquadric, Monomial];
}
