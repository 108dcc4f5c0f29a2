using System.Globalization;
using NestQuant.Onnx.Graph;
using NestQuant.Passes.GroupNL.Expansion;

namespace NestQuant.Passes.GroupNL.Calibration;

/// <summary>
/// The budgets that would accept the rejected layers, smallest first, so that a user can choose how many layers to expand. Each was
/// measured with the rejected layers before it undone: a larger budget keeps those too, which may increase the error of later layers.
/// </summary>
internal static class BudgetCurve
{
    /// <summary>The curve in words; null when no candidate is kept because of the budget.</summary>
    public static string? Describe(IEnumerable<ExpansionCandidate> candidates)
    {
        string[] steps =
        [
            .. candidates.Where(static candidate => candidate.BudgetNeeded is not null).OrderBy(static candidate => candidate.BudgetNeeded)
                .Select(
                    static candidate =>
                        string.Create(
                            CultureInfo.InvariantCulture,
                            $"{RoundUp(candidate.BudgetNeeded!.Value):F4} for '{candidate.Node.DisplayName()}'")),
        ];
        return steps.Length == 0 ? null : $"a larger budget accepts {steps.Length} more, about from {string.Join(", ", steps)}";
    }

    /// <summary>Rounds up to four decimals, as errors are shown, so that the budget is never below the error.</summary>
    private static double RoundUp(double error) => Math.Ceiling(error * 1e4) / 1e4;
}
