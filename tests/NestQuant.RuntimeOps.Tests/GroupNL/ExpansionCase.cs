using CsCheck;
using NestQuant.RuntimeOps.Kernels.Execution;
using NestQuant.RuntimeOps.Kernels.GroupNL;
using NestQuant.RuntimeOps.Kernels.GroupNL.Functions;
using NestQuant.RuntimeOps.Kernels.Tiers;
using NestQuant.RuntimeOps.Schema;

namespace NestQuant.RuntimeOps.Tests.GroupNL;

/// <summary>A random expansion: its tensors, and its result by the textbook.</summary>
internal sealed unsafe class ExpansionCase
{
    public ExpansionCase(
        int batch,
        int seeds,
        int[] spatial,
        int[] source,
        int seed,
        float largestShift = 5,
        bool hasAffine = false,
        string activation = "none")
    {
        Random random = new(seed);
        Batch = batch;
        Seeds = seeds;
        Spatial = spatial;
        Source = source;
        X = [.. Enumerable.Range(0, batch * seeds * Pixels).Select(_ => (random.NextSingle() - 0.4f) * 6)];
        Shift = [.. source.Select(_ => (random.NextSingle() * 2 - 1) * largestShift)];
        Period = [.. source.Select(_ => 1 + random.NextSingle())];
        if (hasAffine)
        {
            Scale = [.. Enumerable.Range(0, Maps).Select(_ => random.NextSingle() * 3 - 1)];
            Bias = [.. Enumerable.Range(0, Maps).Select(_ => random.NextSingle() - 0.5f)];
        }

        ActivationName = activation;
    }

    /// <summary>Every function, the sine as often as all others.</summary>
    public static Gen<MapFunction> Functions { get; } = Gen.OneOf(
        Gen.Const(MapFunction.Sine),
        from kind in Gen.Int[1, (int)MapFunctionKind.Monomial]
        from power in Gen.Int[GroupNLFunctions.LeastPower, 7]
        select Of((MapFunctionKind)kind, power));

    /// <summary>Odd and even sizes, sources in any order, and every epilogue.</summary>
    public static Gen<ExpansionCase> Cases { get; } =
        from batch in Gen.Int[1, 3]
        from seeds in Gen.Int[1, 37]
        from height in Gen.Int[1, 9]
        from width in Gen.Int[1, 70]
        from source in Sources(seeds)
        from seed in Gen.Int[0, int.MaxValue]
        from hasAffine in Gen.Bool
        from activation in Gen.OneOf(Gen.Const(ActivationNames.None), Gen.Const(ActivationNames.Clip), Gen.Const(ActivationNames.HardSwish))
        from function in Functions
        select new ExpansionCase(
            batch, seeds, [height, width], source, seed, LargestShift(function, seed), hasAffine, activation)
        {
            Function = function,
        };

    public int Batch { get; }

    public int Seeds { get; }

    public int[] Spatial { get; }

    public int Pixels => Spatial.Aggregate(1, (a, b) => a * b);

    public int Maps => Seeds + Source.Length;

    public int[] Source { get; }

    public string ActivationName { get; }

    /// <summary>Seed maps, [batch, seeds, pixels].</summary>
    public float[] X { get; set; }

    public float[] Shift { get; set; }

    public float[] Period { get; set; }

    public float[]? Scale { get; set; }

    public float[]? Bias { get; set; }

    public MapFunction Function { get; init; }

    public string FunctionName => GroupNLFunctions.All[(int)Function.Kind];

    public float Epsilon { get; set; } = 1e-12f;

    public float Min { get; set; } = -0.25f;

    public float Max { get; set; } = 0.75f;

    private MapActivation Activation => ActivationName switch
    {
        ActivationNames.Clip => MapActivation.Clip(Min, Max),
        ActivationNames.HardSwish => MapActivation.HardSwish,
        _ => MapActivation.None,
    };

    /// <summary>The first maps again and again, as GroupNL repeats them, or any order.</summary>
    public static Gen<int[]> Sources(int seeds) =>
        Gen.OneOf(
            Gen.Int[1, 3 * seeds].Select(count => Enumerable.Range(0, count).Select(g => g % seeds).ToArray()),
            Gen.Int[0, seeds - 1].Array[1, 40]);

    /// <summary>[batch, maps, pixels] to [batch, pixels, maps].</summary>
    public static float[] ToChannelsLast(float[] planes, int batch, int maps)
    {
        int pixels = planes.Length / batch / maps;
        float[] rows = new float[planes.Length];
        for (int i = 0; i < rows.Length; i++)
            rows[i] = planes[(i / maps / pixels * maps + i % maps) * pixels + i / maps % pixels];
        return rows;
    }

    /// <summary>Runs the kernel; the result is in the layout that was asked for.</summary>
    public float[] Run(KernelTier tier, ParallelLoop loop, bool isChannelsLast)
    {
        float[] input = isChannelsLast ? ToChannelsLast(X, Batch, Seeds) : X;
        float[] output = new float[Batch * Maps * Pixels];
        output.AsSpan().Fill(12345);
        fixed (float* x = input, y = output, shift = Shift, period = Period, scale = Scale, bias = Bias)
        {
            ExpansionData data = new(Function, new SourceMap(Source), Seeds, shift, period, scale, bias, Epsilon, Activation);
            if (isChannelsLast)
                GroupNLExpansion.RunRows(tier, data, x, y, (long)Batch * Pixels, loop);
            else
                GroupNLExpansion.RunPlanes(tier, data, x, y, Batch, Pixels, loop);
        }

        return output;
    }

    /// <summary>The definition in doubles, [batch, maps, pixels].</summary>
    public double[] Expected()
    {
        double[] y = new double[Batch * Maps * Pixels];
        double[] n = new double[Seeds];
        for (int position = 0; position < Batch * Pixels; position++)
        {
            (int image, int pixel) = Math.DivRem(position, Pixels);
            double norm = 0;
            for (int c = 0; c < Seeds; c++)
            {
                n[c] = X[(image * Seeds + c) * Pixels + pixel];
                norm += n[c] * n[c];
            }

            for (int c = 0; c < Seeds; c++)
                n[c] /= Math.Max(Math.Sqrt(norm), Epsilon);
            for (int map = 0; map < Maps; map++)
            {
                int g = map - Seeds;
                double value = g < 0 ? n[map] : Definition(Function, (n[Source[g]] - Shift[g]) * Period[g]);
                value = value * (Scale?[map] ?? 1) + (Bias?[map] ?? 0);
                y[(image * Maps + map) * Pixels + pixel] = ActivationName switch
                {
                    ActivationNames.Clip => Math.Min(Math.Max(value, Min), Max),
                    ActivationNames.HardSwish => value * Math.Max(0, Math.Min(1, value / 6 + 0.5)),
                    _ => value,
                };
            }
        }

        return y;
    }

    /// <summary>A function by its kind; the power is dropped where there is none.</summary>
    public static MapFunction Of(MapFunctionKind kind, int power) => new(kind, kind == MapFunctionKind.Monomial ? power : 0);

    /// <summary>The function by the textbook.</summary>
    public static double Definition(MapFunction function, double u) => function.Kind switch
    {
        MapFunctionKind.Gaussian => Math.Exp(-u * u),
        MapFunctionKind.Multiquadric => Math.Sqrt(1 + u * u),
        MapFunctionKind.InverseQuadratic => 1 / (1 + u * u),
        MapFunctionKind.InverseMultiquadric => 1 / Math.Sqrt(1 + u * u),
        MapFunctionKind.Monomial => Math.CopySign(Math.Pow(Math.Abs(u), function.Power), u),
        _ => Math.Sin(u),
    };

    /// <summary>
    /// The error that float arithmetic may have: a few roundings of values up to the scale, and the rounding of the function's argument
    /// times its steepest slope.
    /// </summary>
    public double Tolerance()
    {
        double argument = Shift.Max(Math.Abs) * 2 + 2;
        double scale = Scale?.Max(Math.Abs) ?? 1;
        double largest = Function.Kind switch
        {
            MapFunctionKind.Monomial => Math.Pow(argument, Function.Power),
            MapFunctionKind.Multiquadric => argument,
            _ => 1,
        };
        double slope = Function.Kind == MapFunctionKind.Monomial ? Function.Power * largest / argument : 1;
        return (1.5e-7 + 1.2e-7 * argument * slope + 2e-6 * largest) * Math.Max(1, 2 * scale);
    }

    // Far arguments are the sine's problem; the powers of far ones would drown every error.
    private static float LargestShift(MapFunction function, int seed) => function.Kind switch
    {
        MapFunctionKind.Sine => seed % 5 == 0 ? 9000 : 5,
        MapFunctionKind.Monomial => 0.5f,
        _ => 2,
    };
}
