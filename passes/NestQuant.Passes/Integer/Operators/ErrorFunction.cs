namespace NestQuant.Passes.Integer.Operators;

/// <summary>The Gauss error function, which .NET does not have.</summary>
internal static class ErrorFunction
{
    /// <summary>Above this argument erf differs from 1 by less than half a unit in the last place.</summary>
    private const double Saturation = 6;

    /// <summary>
    /// 2 / sqrt(pi) times the integral of exp(-t^2) from 0 to <paramref name="x"/>, within a few units in the last place.
    /// </summary>
    public static double Erf(double x)
    {
        if (double.IsNaN(x)) return x;
        double magnitude = Math.Abs(x);
        if (magnitude >= Saturation) return Math.Sign(x);

        // erf x = 2 / sqrt(pi) * exp(-x^2) * sum over n of 2^n x^(2n+1) / (1 * 3 * ... * (2n+1)): all terms are positive, nothing cancels.
        double term = magnitude, sum = magnitude;
        for (int n = 1; sum + term != sum; n++)
        {
            term *= 2 * magnitude * magnitude / ((2 * n) + 1);
            sum += term;
        }

        return Math.CopySign(2 / Math.Sqrt(Math.PI) * Math.Exp(-magnitude * magnitude) * sum, x);
    }
}
