using System.Numerics;
using System.Numerics.Tensors;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

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
internal sealed class AdaptiveRounding
{
    private readonly float[] _nearest;
    private readonly float[] _errors;
    private readonly float[] _movable;
    private readonly ulong[] _keys;
    private readonly Candidate[] _candidates;

    /// <summary>Creates the scratch memory.</summary>
    /// <param name="maxChannelLength">Greatest number of elements of a channel that will be rounded.</param>
    public AdaptiveRounding(int maxChannelLength)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maxChannelLength);
        _nearest = new float[maxChannelLength];
        _errors = new float[maxChannelLength];
        _movable = new float[maxChannelLength];
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
            throw new ArgumentException(
                $"a channel of {x.Length} elements does not fit kernels of {taps} taps, {rounded.Length} results or a scratch of "
                    + $"{_errors.Length}");

        var channel = new Channel(x, _nearest.AsSpan(0, x.Length), _errors.AsSpan(0, x.Length), _movable.AsSpan(0, x.Length), lo, hi);
        channel.RoundToNearest();
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

    /// <summary>
    /// A kernel whose errors cancel exactly flips nothing and offers its least likely element: the last one of the order.
    /// </summary>
    private static Candidate OfferLeast(scoped in Channel channel, FlipPlan plan, int start, int taps)
    {
        ulong least = ulong.MaxValue;
        for (int i = start; i < start + taps; i++) least = Math.Min(least, KeyOf(channel.Movable[i], i, plan.Up));
        return channel.Offer(IndexOf(least), !plan.Up);
    }

    /// <summary>The usual kernel: its first two elements in order are found in one scan, and nothing branches on its random data.</summary>
    private static Candidate FlipAtMostTwo(scoped in Channel channel, FlipPlan plan, int start, int taps)
    {
        ulong first = 0, second = 0;
        ReadOnlySpan<float> movable = channel.Movable.Slice(start, taps);
        for (int i = 0; i < movable.Length; i++)
        {
            ulong key = KeyOf(movable[i], start + i, plan.Up);
            second = Math.Max(second, Math.Min(first, key));
            first = Math.Max(first, key);
        }

        channel.Flip(first, plan.Up, Math.Min(plan.Count, 1));
        channel.Flip(second, plan.Up, plan.Count >> 1);
        return channel.Offer(IndexOf(plan.Ordered == 1 ? first : second), plan.Over ^ plan.Up);
    }

    private Candidate FlipMany(scoped in Channel channel, FlipPlan plan, int start, int taps)
    {
        Span<ulong> keys = _keys.AsSpan(0, taps);
        for (int i = 0; i < taps; i++) keys[i] = KeyOf(channel.Movable[start + i], start + i, plan.Up);
        TopSelection.MoveLargestToFront(keys, plan.Ordered);
        ulong last = ulong.MaxValue;
        foreach (ulong key in keys[..plan.Ordered]) last = Math.Min(last, key);
        foreach (ulong key in keys[..plan.Ordered])
            channel.Flip(key, plan.Up, plan.Over || key != last ? 1 : 0);
        return channel.Offer(IndexOf(last), plan.Over ^ plan.Up);
    }

    /// <summary>
    /// The channel step: flips the elements of highest priority; those that <paramref name="keys"/> does not list have priority zero.
    /// </summary>
    private static void Flip(scoped in Channel channel, FlipPlan plan, Span<ulong> keys)
    {
        int listed = Math.Min(plan.Count, keys.Length);
        TopSelection.MoveLargestToFront(keys, listed);
        foreach (ulong key in keys[..listed]) channel.FlipFromNearest(IndexOf(key), plan.Up);
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
            channel.FlipFromNearest(i, plan.Up);
            missing--;
        }
    }

    /// <summary>
    /// Keys of the elements that can be flipped, where there is no kernel step: those near one half when they suffice, otherwise all.
    /// </summary>
    private Span<ulong> EligibleKeys(FlipPlan plan, scoped in Channel channel)
    {
        if (plan.Count == 0) return [];
        // Errors are spread evenly over [-0.5, 0.5], so about three times as many as are needed lie above this.
        float threshold = 0.5f - (3f * plan.Count / channel.X.Length);
        int count = CollectKeys(channel.Movable, plan.Up, threshold);
        if (count < plan.Count) count = CollectKeys(channel.Movable, plan.Up, 0);
        return _keys.AsSpan(0, count);
    }

    /// <summary>Collects the keys whose priority is positive and at least a threshold. Returns their number.</summary>
    private int CollectKeys(ReadOnlySpan<float> movable, bool up, float threshold)
    {
        ReadOnlySpan<Vector256<float>> vectors = MemoryMarshal.Cast<float, Vector256<float>>(movable);
        Vector256<float> sign = Vector256.Create(up ? -0f : 0f), least = Vector256.Create(MathF.Max(threshold, float.Epsilon));
        int count = 0;
        for (int v = 0; v < vectors.Length; v++)
        {
            for (
                uint hits = Vector256.GreaterThanOrEqual(vectors[v] ^ sign, least)
                    .ExtractMostSignificantBits(); hits != 0; hits &= hits - 1)
            {
                int index = (v * Vector256<float>.Count) + BitOperations.TrailingZeroCount(hits);
                _keys[count++] = KeyOf(movable[index], index, up);
            }
        }

        for (int index = vectors.Length * Vector256<float>.Count; index < movable.Length; index++)
        {
            ulong key = KeyOf(movable[index], index, up);
            if (key >= KeyOf(least[0], -1)) _keys[count++] = key;
        }

        return count;
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
    private static ulong KeyOf(float priority, int index) => ((ulong)BitConverter.SingleToUInt32Bits(priority) << 32) | (uint)~index;

    /// <summary>
    /// The sort key of an element for one direction: its priority is its movable error there, and 0 where it cannot move that way.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong KeyOf(float movable, int index, bool up)
    {
        int bits = BitConverter.SingleToInt32Bits(movable) ^ (up ? int.MinValue : 0);
        return ((ulong)(uint)(bits & ~(bits >> 31)) << 32) | (uint)~index;
    }

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

    /// <summary>
    /// A channel at work. <c>Result</c> holds integers not yet clipped, <c>Errors</c> what they differ by from <c>X</c>, and
    /// <c>Movable</c> the first errors, 0 where an element cannot move against its error because it lies beyond a bound.
    /// </summary>
    private readonly ref struct Channel(
        ReadOnlySpan<float> x, Span<float> result, Span<float> errors, Span<float> movable, float lo, float hi)
    {
        public readonly ReadOnlySpan<float> X = x;
        public readonly Span<float> Result = result;
        public readonly Span<float> Errors = errors;
        public readonly Span<float> Movable = movable;

        /// <summary>Fills all three spans.</summary>
        public void RoundToNearest()
        {
            TensorPrimitives.Round(X, Result);
            TensorPrimitives.Subtract(Result, X, Errors);
            Span<Vector256<float>> movables = MemoryMarshal.Cast<float, Vector256<float>>(Movable);
            ReadOnlySpan<Vector256<float>> vectors = MemoryMarshal.Cast<float, Vector256<float>>(X);
            Vector256<float> least = Vector256.Create(lo), greatest = Vector256.Create(hi);
            for (int i = 0; i < movables.Length; i++)
            {
                Vector256<float> error = Vector256.Create<float>(Errors.Slice(i * Vector256<float>.Count, Vector256<float>.Count));
                Vector256<float> stuck = (
                    Vector256.LessThanOrEqual(vectors[i], least) & Vector256.GreaterThan(error, Vector256<float>.Zero))
                    | (Vector256.GreaterThanOrEqual(vectors[i], greatest) & Vector256.LessThan(error, Vector256<float>.Zero));
                movables[i] = Vector256.AndNot(error, stuck);
            }

            for (int i = movables.Length * Vector256<float>.Count; i < X.Length; i++)
                Movable[i] = (X[i] <= lo && Errors[i] > 0) || (X[i] >= hi && Errors[i] < 0) ? 0 : Errors[i];
        }

        public Candidate Offer(int index, bool up) => new(KeyOf(MathF.Abs(Errors[index]), index), up);

        /// <summary>
        /// Moves an element that has not been flipped by <paramref name="times"/>, 0 or 1, steps. One that cannot move stays and counts as
        /// exact.
        /// </summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Flip(ulong key, bool up, int times)
        {
            int index = IndexOf(key);
            if (!HasPriority(key) && times != 0)
            {
                Errors[index] = 0;
                return;
            }

            float step = up ? times : -times;
            Errors[index] += step;
            Result[index] += step;
        }

        /// <summary>
        /// Moves one element in the channel step, measured from the first rounding: an element that was flipped before in the other
        /// direction returns, and one that cannot move stays; both then count as exact.
        /// </summary>
        public void FlipFromNearest(int index, bool up)
        {
            float nearest = MathF.Round(X[index]);
            int step = up ? 1 : -1;
            bool eligible = up ? Movable[index] < 0 : Movable[index] > 0;
            Errors[index] = eligible ? nearest - X[index] + step : 0;
            Result[index] = eligible ? nearest + step : nearest;
        }

        /// <summary>Writes the results, clipped to the bounds.</summary>
        public void Store(Span<sbyte> rounded) => ByteConversion.Store(Result, lo, hi, rounded);
    }
}
