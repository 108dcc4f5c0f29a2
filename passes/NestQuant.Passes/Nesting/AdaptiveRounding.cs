using System.Runtime.CompilerServices;

namespace NestQuant.Passes.Nesting;

/// <summary>
/// Data-free adaptive rounding of one output channel: round to nearest, then flip the elements that lie closest to a half until
/// the error sum of every kernel, and then of the whole channel, is at most one half where enough candidates exist
/// (SQuant, arXiv 2202.07471, the "CASE" objective; NestQuant, arXiv 2506.17870, uses it in both of its stages).
/// </summary>
/// <remarks>
/// Equal priorities are broken by the lowest index, so the result depends on nothing but the values. The arithmetic is float32,
/// error sums are accumulated in float64. An instance holds scratch memory for one channel and is not thread-safe.
/// </remarks>
public sealed class AdaptiveRounding
{
    private readonly float[] _errors;
    private readonly ulong[] _keys;
    private readonly Candidate[] _candidates;

    /// <summary>Creates the scratch memory.</summary>
    /// <param name="maxChannelLength">Greatest number of elements of a channel that will be rounded.</param>
    public AdaptiveRounding(int maxChannelLength)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maxChannelLength);
        _errors = new float[maxChannelLength];
        _keys = new ulong[maxChannelLength];
        _candidates = new Candidate[maxChannelLength];
    }

    /// <summary>Rounds one channel.</summary>
    /// <param name="x">The channel, kernel after kernel: length = kernels * taps. Values within [lo - 0.5, hi + 0.5] round without clipping.</param>
    /// <param name="taps">Elements per kernel; with 1 (a 1x1 convolution, a matrix) there is no kernel step.</param>
    /// <param name="lo">Least result, at least -128.</param>
    /// <param name="hi">Greatest result, at most 127.</param>
    /// <param name="rounded">Receives the integers, as long as <paramref name="x"/>.</param>
    public void Round(ReadOnlySpan<float> x, int taps, int lo, int hi, Span<sbyte> rounded)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(taps);
        if (x.Length % taps != 0 || rounded.Length != x.Length || x.Length > _errors.Length)
            throw new ArgumentException($"a channel of {x.Length} elements does not fit kernels of {taps} taps, {rounded.Length} results or a scratch of {_errors.Length}");

        Span<float> errors = _errors.AsSpan(0, x.Length);
        Bounds bounds = new(lo, hi);
        if (taps == 1)
        {
            FlipPlan only = FlipPlan.For(RoundToNearest(x, errors, rounded, bounds));
            Flip(only, x, errors, rounded, bounds, EligibleKeys(only, x, errors, bounds));
            return;
        }

        double channelSum = 0;
        for (int start = 0; start < x.Length; start += taps)
        {
            Span<float> kernelErrors = errors.Slice(start, taps);
            ReadOnlySpan<float> kernel = x.Slice(start, taps);
            FlipPlan plan = FlipPlan.For(RoundToNearest(kernel, kernelErrors, rounded.Slice(start, taps), bounds));
            _candidates[start / taps] = FlipKernel(plan, kernel, kernelErrors, rounded.Slice(start, taps), bounds).Shift(start);
            foreach (float error in kernelErrors) channelSum += error;
        }

        FlipPlan channelPlan = FlipPlan.For(channelSum);
        Flip(channelPlan, x, errors, rounded, bounds, OfferedKeys(channelPlan, x.Length / taps));
    }

    private static double RoundToNearest(ReadOnlySpan<float> x, Span<float> errors, Span<sbyte> rounded, Bounds bounds)
    {
        double sum = 0;
        for (int i = 0; i < x.Length; i++)
        {
            float nearest = MathF.Round(x[i]);
            float error = nearest - x[i];
            errors[i] = error;
            sum += error;
            rounded[i] = bounds.Clip(nearest);
        }

        return sum;
    }

    /// <summary>The kernel step: flips within one kernel and returns the one candidate that it offers to the channel step.</summary>
    private Candidate FlipKernel(FlipPlan plan, ReadOnlySpan<float> x, Span<float> errors, Span<sbyte> rounded, Bounds bounds)
    {
        Span<ulong> keys = _keys.AsSpan(0, x.Length);
        for (int i = 0; i < x.Length; i++) keys[i] = Key(IsEligible(plan.Up, x[i], errors[i], bounds) ? MathF.Abs(errors[i]) : 0, i);

        // A kernel whose errors cancel exactly offers its least likely element: the last one of the order.
        if (plan is { Over: true, Count: 0 }) return Candidate.At(IndexOf(Least(keys)), !plan.Up, errors);

        int ordered = plan.Over ? plan.Count : plan.Count + 1;
        TopSelection.MoveLargestToFront(keys, ordered);
        ulong last = Least(keys[..ordered]);
        foreach (ulong key in keys[..ordered])
            if (plan.Over || key != last) FlipOne(IndexOf(key), plan.Up, x, errors, rounded, bounds);
        return Candidate.At(IndexOf(last), plan.Over ? !plan.Up : plan.Up, errors);
    }

    /// <summary>Flips the <c>plan.Count</c> elements of highest priority; those that <paramref name="keys"/> does not list have priority zero.</summary>
    private static void Flip(FlipPlan plan, ReadOnlySpan<float> x, Span<float> errors, Span<sbyte> rounded, Bounds bounds, Span<ulong> keys)
    {
        int listed = Math.Min(plan.Count, keys.Length);
        TopSelection.MoveLargestToFront(keys, listed);
        foreach (ulong key in keys[..listed]) FlipOne(IndexOf(key), plan.Up, x, errors, rounded, bounds);
        if (listed < plan.Count) FlipUnlisted(plan, x, errors, rounded, bounds, keys);
    }

    /// <summary>More flips are due than there are candidates: the elements without a priority follow by index.</summary>
    private static void FlipUnlisted(FlipPlan plan, ReadOnlySpan<float> x, Span<float> errors, Span<sbyte> rounded, Bounds bounds, Span<ulong> keys)
    {
        HashSet<int> listed = [];
        foreach (ulong key in keys) listed.Add(IndexOf(key));
        int missing = plan.Count - keys.Length;
        for (int i = 0; i < x.Length && missing > 0; i++)
        {
            if (listed.Contains(i)) continue;
            FlipOne(i, plan.Up, x, errors, rounded, bounds);
            missing--;
        }
    }

    private Span<ulong> EligibleKeys(FlipPlan plan, ReadOnlySpan<float> x, Span<float> errors, Bounds bounds)
    {
        int count = 0;
        if (plan.Count == 0) return [];
        for (int i = 0; i < x.Length; i++)
            if (IsEligible(plan.Up, x[i], errors[i], bounds)) _keys[count++] = Key(MathF.Abs(errors[i]), i);
        return _keys.AsSpan(0, count);
    }

    private Span<ulong> OfferedKeys(FlipPlan plan, int kernels)
    {
        int count = 0;
        foreach (Candidate candidate in _candidates.AsSpan(0, kernels))
            if (candidate.Up == plan.Up && candidate.Priority > 0) _keys[count++] = Key(candidate.Priority, candidate.Index);
        return _keys.AsSpan(0, count);
    }

    /// <summary>
    /// Moves one element to its neighbour in the plan's direction. Measured from the first rounding: an element that was flipped
    /// before in the other direction returns, and one that is not eligible stays; both then count as exact.
    /// </summary>
    private static void FlipOne(int index, bool up, ReadOnlySpan<float> x, Span<float> errors, Span<sbyte> rounded, Bounds bounds)
    {
        float nearest = MathF.Round(x[index]);
        float error = nearest - x[index];
        bool eligible = IsEligible(up, x[index], error, bounds);
        int step = up ? 1 : -1;
        errors[index] = eligible ? error + step : 0;
        rounded[index] = bounds.Clip(eligible ? nearest + step : nearest);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool IsEligible(bool up, float x, float error, Bounds bounds) =>
        up ? error < 0 && x < bounds.Hi : error > 0 && x > bounds.Lo;

    /// <summary>A sort key: descending keys are descending priorities, and ascending indices where priorities are equal.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Key(float priority, int index) => ((ulong)BitConverter.SingleToUInt32Bits(priority) << 32) | (uint)~index;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int IndexOf(ulong key) => ~(int)(uint)key;

    private static ulong Least(ReadOnlySpan<ulong> keys)
    {
        ulong least = keys[0];
        foreach (ulong key in keys) least = Math.Min(least, key);
        return least;
    }

    /// <summary>What an error sum asks for.</summary>
    /// <param name="Up">Flip upwards (the sum is negative) or downwards.</param>
    /// <param name="Count">Number of flips.</param>
    /// <param name="Over">The flips over-correct the sum, so that the last one is the cheapest to take back.</param>
    private readonly record struct FlipPlan(bool Up, int Count, bool Over)
    {
        public static FlipPlan For(double errorSum)
        {
            double magnitude = Math.Abs((float)errorSum);
            double count = Math.Round(magnitude, MidpointRounding.ToEven);
            return new FlipPlan(errorSum < 0, (int)count, count >= magnitude);
        }
    }

    /// <summary>The element that a kernel offers to the channel step.</summary>
    private readonly record struct Candidate(int Index, bool Up, float Priority)
    {
        public static Candidate At(int index, bool up, ReadOnlySpan<float> errors) => new(index, up, MathF.Abs(errors[index]));

        public Candidate Shift(int offset) => this with { Index = Index + offset };
    }

    /// <summary>The range of the integers.</summary>
    private readonly record struct Bounds(int Lo, int Hi)
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public sbyte Clip(float value) => (sbyte)Math.Clamp(value, Lo, Hi);
    }
}
