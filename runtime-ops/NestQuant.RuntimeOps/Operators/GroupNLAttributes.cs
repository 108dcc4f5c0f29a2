using System.Globalization;
using NestQuant.RuntimeOps.Interop;
using NestQuant.RuntimeOps.Kernels.GroupNL.Functions;
using NestQuant.RuntimeOps.Schema;
using static System.FormattableString;

namespace NestQuant.RuntimeOps.Operators;

/// <summary>The attributes of a GroupNL expansion and its four last inputs, shift, period, scale and bias.</summary>
internal sealed unsafe class GroupNLAttributes
{
    private readonly MapFunction _function;
    private readonly SourceMap _sources;
    private readonly float _epsilon;
    private readonly MapActivation _activation;
    private readonly InputSchema _shift, _period, _scale, _bias;

    /// <summary>Reads and checks the attributes of a node.</summary>
    /// <exception cref="OperatorException">One is missing or not valid.</exception>
    public GroupNLAttributes(in KernelInfo info)
    {
        _function = Function(info);
        _epsilon = info.Float(OperatorAttributes.Epsilon);
        if (!float.IsFinite(_epsilon) || _epsilon < ExpansionData.LeastEpsilon)
        {
            throw new OperatorException(
                Invariant($"attribute 'epsilon' is {_epsilon}: the least norm is finite and at least {ExpansionData.LeastEpsilon}"));
        }

        _sources = new SourceMap(Source(info.Ints(OperatorAttributes.Source)));
        _activation = Activation(info);
        _shift = info.Schema[InputNames.Shift];
        _period = info.Schema[InputNames.Period];
        _scale = info.Schema[InputNames.MapScale];
        _bias = info.Schema[InputNames.MapBias];
    }

    /// <summary>Binds the inputs of one run.</summary>
    /// <param name="context">The run.</param>
    /// <param name="seeds">Cs, the seed maps.</param>
    /// <exception cref="OperatorException">
    /// An input is missing or has the wrong type or length, or a source is not one of the seed maps.
    /// </exception>
    public ExpansionData Bind(in KernelContext context, long seeds)
    {
        RequireSeeds(seeds);
        long maps = seeds + _sources.Count;
        float* shift = context.Input(_shift).Floats(_sources.Count);
        float* period = context.Input(_period).Floats(_sources.Count);
        float* scale = context.TryInput(_scale, out TensorView scales) ? scales.Floats(maps) : null;
        float* bias = context.TryInput(_bias, out TensorView biases) ? biases.Floats(maps) : null;
        return new ExpansionData(_function, _sources, (int)seeds, shift, period, scale, bias, _epsilon, _activation);
    }

    /// <summary>Checks that every source is one of the seed maps.</summary>
    /// <exception cref="OperatorException">One is not, or there are more maps than 2^31 - 1.</exception>
    public void RequireSeeds(long seeds)
    {
        if (seeds < _sources.SeedsNeeded)
        {
            int last = _sources.SeedsNeeded - 1;
            throw new OperatorException(Invariant($"attribute 'source' names seed map {last}, and there are {seeds} seed maps"));
        }

        if (seeds > int.MaxValue - _sources.Count)
            throw new OperatorException("there are more than 2^31 - 1 maps");
    }

    /// <summary>The output channels as far as inference knows them: those of the seeds and one for each shift; -1 when unknown.</summary>
    /// <param name="inference">The node.</param>
    /// <param name="seeds">Cs, or -1.</param>
    public static long InferMaps(in ShapeInference inference, long seeds) =>
        seeds >= 0 && inference.InputShape(InputNames.Shift) is [var generated] && generated >= 0 ? checked(seeds + generated) : -1;

    private static MapFunction Function(in KernelInfo info)
    {
        string function = info.String(OperatorAttributes.Function);
        MapFunctionKind kind = function switch
        {
            GroupNLFunctions.Sine => MapFunctionKind.Sine,
            GroupNLFunctions.Gaussian => MapFunctionKind.Gaussian,
            GroupNLFunctions.Multiquadric => MapFunctionKind.Multiquadric,
            GroupNLFunctions.InverseQuadratic => MapFunctionKind.InverseQuadratic,
            GroupNLFunctions.InverseMultiquadric => MapFunctionKind.InverseMultiquadric,
            GroupNLFunctions.Monomial => MapFunctionKind.Monomial,
            _ => throw new OperatorException($"attribute 'function' is '{function}': {string.Join(", ", GroupNLFunctions.All)} are known"),
        };
        if (kind != MapFunctionKind.Monomial)
            return new MapFunction(kind);
        long power = info.Int(OperatorAttributes.Power);
        return power is >= GroupNLFunctions.LeastPower and <= GroupNLFunctions.GreatestPower
            ? new MapFunction(kind, (int)power)
            : throw new OperatorException(Invariant(
                $"attribute 'power' is {power}: {GroupNLFunctions.LeastPower} to {GroupNLFunctions.GreatestPower} are possible"));
    }

    private static int[] Source(long[] source)
    {
        foreach (long seed in source)
        {
            if (seed is < 0 or >= int.MaxValue)
                throw new OperatorException(Invariant($"attribute 'source' names seed map {seed}: they count from 0"));
        }

        return [.. source.Select(seed => (int)seed)];
    }

    private static MapActivation Activation(in KernelInfo info)
    {
        string activation = info.String(OperatorAttributes.Activation);
        switch (activation)
        {
            case ActivationNames.None:
                return MapActivation.None;
            case ActivationNames.HardSwish:
                return MapActivation.HardSwish;
            case ActivationNames.Clip:
                float min = info.Float(OperatorAttributes.ActivationMin);
                float max = info.Float(OperatorAttributes.ActivationMax);
                if (!(min <= max))
                {
                    throw new OperatorException(
                        Invariant($"attributes 'activation_min' {min} and 'activation_max' {max} are not the bounds of a clip"));
                }

                return MapActivation.Clip(min, max);
            default:
                throw new OperatorException(string.Create(CultureInfo.InvariantCulture,
                    $"attribute 'activation' is '{activation}': {ActivationNames.None}, {ActivationNames.Clip} and "
                        + $"{ActivationNames.HardSwish} are known"));
        }
    }
}
