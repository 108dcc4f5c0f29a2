namespace NestQuant.Passes.Guard;

/// <summary>Finds few activations that have to stay float so that the outputs of a model keep their accuracy.</summary>
/// <remarks>
/// Activations are tried in the order of the noise at the outputs that each of them causes alone, on a few samples. The fewest first ones
/// of this order that suffice stay float, which runs of all samples with exactly these confirm.
/// </remarks>
internal sealed class GuardSearch
{
    /// <summary>An output with this ratio is accurate enough whatever float activations would give.</summary>
    private const double SufficientDecibels = 33;

    /// <summary>Most runs of the model with a single activation rounded, as far as two samples for each allow.</summary>
    private const int MostRuns = 512;

    private readonly Func<Predicate<int>, int, OutputError[]> _measure;
    private readonly double[] _allowed;

    /// <summary>Measures the outputs with no activation float.</summary>
    /// <param name="unrounded">The errors of the outputs with all activations float.</param>
    /// <param name="decibels">How much lower the ratio of every output may be with quantized activations than with float ones.</param>
    /// <param name="measure">The errors of the outputs, given which activations are rounded, on at most so many samples.</param>
    public GuardSearch(OutputError[] unrounded, double decibels, Func<Predicate<int>, int, OutputError[]> measure)
    {
        _measure = measure;
        Float = unrounded;
        Rounded = measure(static _ => true, int.MaxValue);
        _allowed = Array.ConvertAll(Float, output => Math.Max(
            output.Noise * Math.Pow(10, decibels / 10), output.Signal * Math.Pow(10, -SufficientDecibels / 10)));
    }

    /// <summary>The errors with all activations float.</summary>
    public OutputError[] Float { get; }

    /// <summary>The errors with none float.</summary>
    public OutputError[] Rounded { get; }

    /// <summary>Position of the output that loses most.</summary>
    public int Worst => Enumerable.Range(0, _allowed.Length).MaxBy(output => Rounded[output].Noise / _allowed[output]);

    /// <summary>Whether errors are small enough.</summary>
    public bool Fits(OutputError[] errors) => errors.Zip(_allowed).All(static pair => pair.First.Noise <= pair.Second);

    /// <summary>Chooses.</summary>
    /// <param name="count">Number of activations.</param>
    /// <param name="done">Told after each activation.</param>
    public GuardChoice Choose(int count, Action<int> done)
    {
        var alone = new OutputError[count][];
        for (int i = 0; i < count; i++)
        {
            int rounded = i;
            alone[i] = _measure(other => other == rounded, Math.Max(MostRuns / count, 2));
            done(i + 1);
        }

        int[] order = [.. Enumerable.Range(0, count).OrderByDescending(i => Harm(alone[i]))];
        int low = 1, high = count;
        OutputError[] best = Float;
        while (low < high)
        {
            int middle = (low + high) / 2;
            var kept = order.Take(middle).ToHashSet();
            OutputError[] errors = _measure(other => !kept.Contains(other), int.MaxValue);
            if (Fits(errors)) (high, best) = (middle, errors);
            else low = middle + 1;
        }

        return new GuardChoice([.. order.Take(high)], alone, best);
    }

    /// <summary>The noise that an activation adds to the outputs that have too much, in shares of what they may have.</summary>
    private double Harm(OutputError[] alone) => alone
        .Select((error, output) => Rounded[output].Noise > _allowed[output] && error.Added > 0 ? error.Added / _allowed[output] : 0)
        .Sum();
}

/// <summary>The activations that stay float.</summary>
/// <param name="Kept">Their positions, the most harmful first.</param>
/// <param name="Alone">The errors of the outputs with one activation rounded, for each.</param>
/// <param name="Result">The errors of the outputs with all other activations rounded.</param>
internal sealed record GuardChoice(IReadOnlyList<int> Kept, IReadOnlyList<OutputError[]> Alone, OutputError[] Result);
