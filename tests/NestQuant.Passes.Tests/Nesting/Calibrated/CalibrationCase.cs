using CsCheck;
using NestQuant.Passes.Nesting.Calibrated;

namespace NestQuant.Passes.Tests.Nesting.Calibrated;

/// <summary>Random weights of a group on the grid of a level, and rows of its inputs, some of them constant.</summary>
internal sealed record CalibrationCase(int Channels, int Length, int Rows, int Bits, bool FitsScale, int Seed)
{
    /// <summary>Longest block of inputs.</summary>
    public int MaxBlock { get; init; } = InputMoments.MaxBlock;

    /// <summary>Cases of up to 9 channels of up to 80 weights, in one block or several.</summary>
    public static Gen<CalibrationCase> Any { get; } = Gen.Select(
        Gen.Int[1, 9], Gen.Int[1, 80], Gen.Int[1, 120], Gen.Int[2, 6], Gen.Bool,
        Gen.Int[0, 99999], Gen.Int[15, 100],
        static (channels, length, rows, bits, fits, seed, block) =>
            new CalibrationCase(channels, length, rows, bits, fits, seed) { MaxBlock = block });

    /// <summary>x_f and x_p.</summary>
    public (float[] InFloat, float[] InPart) Inputs()
    {
        var random = new Random(Seed);
        var inFloat = new float[Rows * Length];
        var inPart = new float[Rows * Length];
        for (int row = 0; row < Rows; row++)
        {
            double common = random.NextDouble();
            for (int i = 0; i < Length; i++)
            {
                double value = i % 7 == 5 ? 3 : Math.Max(0, common + (2 * random.NextDouble()) - 1);
                inFloat[(row * Length) + i] = (float)value;
                inPart[(row * Length) + i] = (float)(i % 7 == 5 ? 2.5 : value * (0.9 + (0.2 * random.NextDouble())));
            }
        }

        return (inFloat, inPart);
    }

    /// <summary>The moments of all rows.</summary>
    public InputMoments Moments(int threads = 1)
    {
        (float[] inFloat, float[] inPart) = Inputs();
        var moments = new InputMoments(Length, MaxBlock);
        moments.Add(inFloat, inPart, Rows, new ParallelOptions { MaxDegreeOfParallelism = threads });
        return moments;
    }

    /// <summary>Weights, and pairs of integers around them.</summary>
    public RoundingProblem Problem()
    {
        var random = new Random(Seed + 1);
        int largest = (1 << (Bits - 1)) - 1;
        float[] weights = [.. Enumerable.Range(0, Channels * Length).Select(_ => (float)((2 * random.NextDouble()) - 1))];
        double[] units = [.. Enumerable.Range(0, Channels).Select(_ => (0.9 + (0.2 * random.NextDouble())) / (largest + 1))];
        double[] zeros = [.. Enumerable.Range(0, Channels).Select(m => m % 3 == 2 ? random.NextDouble() : 0)];
        return new RoundingProblem
        {
            Weights = weights,
            Floors = [.. weights.Select((w, i) =>
                (sbyte)Math.Clamp(Math.Floor((w / units[i / Length]) + zeros[i / Length]), -largest - 1, largest))],
            Largest = largest,
            Units = units,
            Zeros = zeros,
            FitsScale = FitsScale,
        };
    }

    /// <summary>What the bias of every channel needs for the weights that rounding gave.</summary>
    public static double[] MeanShifts(InputMoments moments, RoundingProblem problem, RoundingResult result)
    {
        int length = moments.Length;
        return
        [
            .. Enumerable.Range(0, problem.Units.Length).Select(m => moments.MeanShift(
                problem.Weights.AsSpan(m * length, length),
                [
                    .. result.Integers[(m * length)..((m + 1) * length)]
                        .Select(integer => (integer - problem.Zeros[m]) * problem.Units[m] * result.ScaleFactors[m]),
                ],
                new ParallelOptions())),
        ];
    }
}
