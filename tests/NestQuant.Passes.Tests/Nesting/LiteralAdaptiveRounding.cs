namespace NestQuant.Passes.Tests.Nesting;

/// <summary>
/// Adaptive rounding as its definition reads: both directions' outcomes computed up front, one full stable sort per step. Slow, and with
/// nothing in common with the implementation but the definition.
/// </summary>
internal sealed class LiteralAdaptiveRounding
{
    private readonly float[] _rounded;
    private readonly float[] _errors;
    private readonly Direction _up;
    private readonly Direction _down;

    private LiteralAdaptiveRounding(float[] x, int taps, int lo, int hi)
    {
        _rounded = Array.ConvertAll(x, MathF.Round);
        _errors = [.. _rounded.Zip(x, static (rounded, value) => rounded - value)];
        _up = Direction.Of(_rounded, _errors, +1, i => _errors[i] < 0 && x[i] < hi);
        _down = Direction.Of(_rounded, _errors, -1, i => _errors[i] > 0 && x[i] > lo);
        if (taps > 1)
        {
            var offers = new List<(Direction Direction, int Index, float Priority)>();
            for (int start = 0; start < x.Length; start += taps) offers.Add(KernelStep([.. Enumerable.Range(start, taps)]));
            Array.Clear(_up.Priorities);
            Array.Clear(_down.Priorities);
            foreach ((Direction direction, int index, float priority) in offers) direction.Priorities[index] = priority;
        }

        EnoughForChannel = Apply(Plan([.. Enumerable.Range(0, x.Length)]));
        Result = Array.ConvertAll(_rounded, value => (sbyte)Math.Clamp(value, lo, hi));
    }

    public sbyte[] Result { get; }

    /// <summary>Whether every flip that the kernels' error sums asked for moved an element.</summary>
    public bool EnoughForKernels { get; private set; } = true;

    /// <summary>The same of the channel's. A kernel may offer an element that is not eligible, whose flip moves nothing.</summary>
    public bool EnoughForChannel { get; }

    public static LiteralAdaptiveRounding Round(float[] x, int taps, int lo, int hi) => new(x, taps, lo, hi);

    private (Direction Direction, int Index, float Priority) KernelStep(int[] elements)
    {
        Step step = Plan(elements);
        EnoughForKernels &= Apply(step);
        bool over = step.Flips >= step.Sum;
        Direction offered = !over ? step.Direction : step.Direction == _up ? _down : _up;
        int index = step.Order[!over ? step.Flips : step.Flips == 0 ? ^1 : step.Flips - 1];
        return (offered, index, MathF.Abs(_errors[index]));
    }

    private Step Plan(int[] elements)
    {
        float sum = (float)elements.Sum(i => (double)_errors[i]);
        Direction direction = sum < 0 ? _up : _down;
        int[] order = [.. elements.OrderByDescending(i => direction.Priorities[i])];
        return new Step(direction, MathF.Abs(sum), (int)MathF.Round(MathF.Abs(sum)), order);
    }

    /// <summary>Flips the elements of highest priority. Returns whether all of them moved.</summary>
    private bool Apply(Step step)
    {
        bool moved = true;
        foreach (int i in step.Order.Take(step.Flips))
        {
            moved &= step.Direction.Numbers[i] != _rounded[i];
            _errors[i] = step.Direction.Errors[i];
            _rounded[i] = step.Direction.Numbers[i];
        }

        return moved;
    }

    private sealed record Step(Direction Direction, float Sum, int Flips, int[] Order);

    private sealed record Direction(float[] Errors, float[] Numbers, float[] Priorities)
    {
        public static Direction Of(float[] rounded, float[] errors, int step, Func<int, bool> eligible)
        {
            int[] all = [.. Enumerable.Range(0, rounded.Length)];
            return new Direction(
                [.. all.Select(i => eligible(i) ? errors[i] + step : 0)],
                [.. all.Select(i => eligible(i) ? rounded[i] + step : rounded[i])],
                [.. all.Select(i => eligible(i) ? MathF.Abs(errors[i]) : 0)]);
        }
    }
}
