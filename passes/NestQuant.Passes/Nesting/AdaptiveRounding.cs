using System.Numerics.Tensors;
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
    private readonly float[] _nearest;
    private readonly float[] _errors;
    private readonly ulong[] _keys;
    private readonly Candidate[] _candidates;

    /// <summary>Creates the scratch memory.</summary>
    /// <param name="maxChannelLength">Greatest number of elements of a channel that will be rounded.</param>
    public AdaptiveRounding(int maxChannelLength)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maxChannelLength);
        _nearest = new float[maxChannelLength];
        _errors = new float[maxChannelLength];
        _keys = new ulong[maxChannelLength];
        _candidates = new Candidate[maxChannelLength];
    }

    /// <summary>Rounds one channel.</summary>
    /// <param name="x">The channel, kernel after kernel: length = kernels * taps. What rounds beyond the bounds is clipped to them.</param>
    /// <param name="taps">Elements per kernel; with 1 (a 1x1 convolution, a matrix) there is no kernel step.</param>
    /// <param name="lo">Least result, at least -128.</param>
    /// <param name="hi">Greatest result, at most 127.</param>
    /// <param name="rounded">Receives the integers, as long as <paramref name="x"/>.</param>
    public void Round(ReadOnlySpan<float> x, int taps, int lo, int hi, Span<sbyte> rounded)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(taps);
        if (x.Length % taps != 0 || rounded.Length != x.Length || x.Length > _errors.Length)
            throw new ArgumentException($"a channel of {x.Length} elements does not fit kernels of {taps} taps, {rounded.Length} results or a scratch of {_errors.Length}");

        var channel = new Channel(x, _nearest.AsSpan(0, x.Length), _errors.AsSpan(0, x.Length), lo, hi);
        TensorPrimitives.Round(channel.X, channel.Result);
        TensorPrimitives.Subtract(channel.Result, channel.X, channel.Errors);
        if (taps > 1) FlipKernels(channel, taps);
        FlipPlan plan = FlipPlan.For(FixedOrderSum.Of(channel.Errors));
        Flip(channel, plan, taps > 1 ? OfferedKeys(plan, x.Length / taps) : EligibleKeys(plan, channel));
        channel.Store(rounded);
    }

    private void FlipKernels(scoped in Channel channel, int taps)
    {
        for (int start = 0; start < channel.X.Length; start += taps)
        {
            double sum = 0;
            foreach (float error in channel.Errors.Slice(start, taps)) sum += error;
            FlipPlan plan = FlipPlan.For(sum);
            _candidates[start / taps] = plan.Ordered switch
            {
                0 => OfferLeast(channel, plan, start, taps),
                1 or 2 => FlipAtMostTwo(channel, plan, start, taps),
                _ => FlipMany(channel, plan, start, taps),
            };
        }
    }

    /// <summary>A kernel whose errors cancel exactly flips nothing and offers its least likely element: the last one of the order.</summary>
    private static Candidate OfferLeast(scoped in Channel channel, FlipPlan plan, int start, int taps)
    {
        ulong least = ulong.MaxValue;
        for (int i = start; i < start + taps; i++) least = Math.Min(least, channel.Key(i, plan.Up));
        return channel.Offer(IndexOf(least), !plan.Up);
    }

    /// <summary>The usual kernel: its first two elements in order are found in one scan.</summary>
    private static Candidate FlipAtMostTwo(scoped in Channel channel, FlipPlan plan, int start, int taps)
    {
        ulong first = 0, second = 0;
        ReadOnlySpan<float> errors = channel.Errors.Slice(start, taps);
        ReadOnlySpan<float> x = channel.X.Slice(start, errors.Length);
        for (int i = 0; i < errors.Length; i++)
        {
            ulong key = channel.Key(errors[i], x[i], start + i, plan.Up);
            second = Math.Max(second, Math.Min(first, key));
            first = Math.Max(first, key);
        }

        if (plan.Count > 0) channel.Flip(IndexOf(first), plan.Up);
        if (plan.Count > 1) channel.Flip(IndexOf(second), plan.Up);
        return channel.Offer(IndexOf(plan.Ordered == 1 ? first : second), plan.Over ? !plan.Up : plan.Up);
    }

    private Candidate FlipMany(scoped in Channel channel, FlipPlan plan, int start, int taps)
    {
        Span<ulong> keys = _keys.AsSpan(0, taps);
        for (int i = 0; i < taps; i++) keys[i] = channel.Key(start + i, plan.Up);
        TopSelection.MoveLargestToFront(keys, plan.Ordered);
        ulong last = ulong.MaxValue;
        foreach (ulong key in keys[..plan.Ordered]) last = Math.Min(last, key);
        foreach (ulong key in keys[..plan.Ordered])
            if (plan.Over || key != last) channel.Flip(IndexOf(key), plan.Up);
        return channel.Offer(IndexOf(last), plan.Over ? !plan.Up : plan.Up);
    }

    /// <summary>The channel step: flips the elements of highest priority; those that <paramref name="keys"/> does not list have priority zero.</summary>
    private static void Flip(scoped in Channel channel, FlipPlan plan, Span<ulong> keys)
    {
        int listed = Math.Min(plan.Count, keys.Length);
        TopSelection.MoveLargestToFront(keys, listed);
        foreach (ulong key in keys[..listed]) channel.Flip(IndexOf(key), plan.Up);
        if (listed < plan.Count) FlipUnlisted(channel, plan, keys);
    }

    /// <summary>More flips are due than there are candidates: the elements without a priority follow by index.</summary>
    private static void FlipUnlisted(scoped in Channel channel, FlipPlan plan, ReadOnlySpan<ulong> keys)
    {
        HashSet<int> listed = [];
        foreach (ulong key in keys) listed.Add(IndexOf(key));
        int missing = plan.Count - keys.Length;
        for (int i = 0; i < channel.X.Length && missing > 0; i++)
        {
            if (listed.Contains(i)) continue;
            channel.Flip(i, plan.Up);
            missing--;
        }
    }

    /// <summary>Keys of the elements that can be flipped, where there is no kernel step.</summary>
    private Span<ulong> EligibleKeys(FlipPlan plan, scoped in Channel channel)
    {
        if (plan.Count == 0) return [];
        int count = 0;
        for (int i = 0; i < channel.X.Length; i++)
        {
            ulong key = channel.Key(i, plan.Up);
            _keys[count] = key;
            count += HasPriority(key) ? 1 : 0;
        }

        return _keys.AsSpan(0, count);
    }

    /// <summary>Keys of what the kernels offer in the plan's direction.</summary>
    private Span<ulong> OfferedKeys(FlipPlan plan, int kernels)
    {
        if (plan.Count == 0) return [];
        int count = 0;
        foreach (Candidate candidate in _candidates.AsSpan(0, kernels))
        {
            _keys[count] = candidate.Key;
            count += candidate.Up == plan.Up && HasPriority(candidate.Key) ? 1 : 0;
        }

        return _keys.AsSpan(0, count);
    }

    /// <summary>A sort key: descending keys are descending priorities, and ascending indices where priorities are equal.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong KeyOf(int priorityBits, int index) => ((ulong)(uint)priorityBits << 32) | (uint)~index;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int IndexOf(ulong key) => ~(int)(uint)key;

    private static bool HasPriority(ulong key) => key > uint.MaxValue;

    /// <summary>What an error sum asks for.</summary>
    /// <param name="Up">Flip upwards (the sum is negative) or downwards.</param>
    /// <param name="Count">Number of flips.</param>
    /// <param name="Over">The flips over-correct the sum, so that the last one is the cheapest to take back.</param>
    private readonly record struct FlipPlan(bool Up, int Count, bool Over)
    {
        /// <summary>Elements whose place in the order matters: those flipped, and the next one where it is what a kernel offers.</summary>
        public int Ordered => Over ? Count : Count + 1;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static FlipPlan For(double errorSum)
        {
            double magnitude = Math.Abs((float)errorSum);
            double count = Math.Round(magnitude);
            return new FlipPlan(errorSum < 0, (int)count, count >= magnitude);
        }
    }

    /// <summary>The element that a kernel offers to the channel step, as a sort key, and the direction of the offer.</summary>
    private readonly record struct Candidate(ulong Key, bool Up);

    /// <summary>A channel at work. <c>Result</c> holds integers not yet clipped, <c>Errors</c> what they differ by from <c>X</c>.</summary>
    private readonly ref struct Channel(ReadOnlySpan<float> x, Span<float> result, Span<float> errors, float lo, float hi)
    {
        public readonly ReadOnlySpan<float> X = x;
        public readonly Span<float> Result = result;
        public readonly Span<float> Errors = errors;

        /// <summary>Sort key of an element that has not been flipped: its priority is |error| where it can move in that direction, else 0.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public ulong Key(int index, bool up) => Key(Errors[index], X[index], index, up);

        /// <summary>The same for an element whose values are at hand.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public ulong Key(float error, float x, int index, bool up)
        {
            int bits = BitConverter.SingleToInt32Bits(error) ^ (up ? int.MinValue : 0);
            return KeyOf(InBounds(x, up) ? bits & ~(bits >> 31) : 0, index);
        }

        public Candidate Offer(int index, bool up) => new(KeyOf(BitConverter.SingleToInt32Bits(MathF.Abs(Errors[index])), index), up);

        /// <summary>
        /// Moves one element to its neighbour. Measured from the first rounding: an element that was flipped before in the other
        /// direction returns, and one that cannot move stays; both then count as exact.
        /// </summary>
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Flip(int index, bool up)
        {
            float nearest = MathF.Round(X[index]);
            float error = nearest - X[index];
            bool eligible = InBounds(X[index], up) && (up ? error < 0 : error > 0);
            int step = up ? 1 : -1;
            Errors[index] = eligible ? error + step : 0;
            Result[index] = eligible ? nearest + step : nearest;
        }

        /// <summary>Writes the results, clipped to the bounds.</summary>
        public void Store(Span<sbyte> rounded) => ByteConversion.Store(Result, lo, hi, rounded);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private bool InBounds(float x, bool up) => up ? x < hi : x > lo;
    }
}
