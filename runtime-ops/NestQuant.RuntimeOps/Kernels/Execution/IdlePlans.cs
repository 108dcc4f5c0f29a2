namespace NestQuant.RuntimeOps.Kernels.Execution;

/// <summary>How a run is done, prepared once and used for run after run, by one at a time.</summary>
/// <typeparam name="TRun">What runs of one kind have in common.</typeparam>
internal interface IReusablePlan<TRun>
{
    /// <summary>Whether it serves a run.</summary>
    bool Serves(in TRun run);
}

/// <summary>Plans of one node that no run uses now. Runs at the same time take plans of their own.</summary>
/// <typeparam name="TPlan">The plans.</typeparam>
/// <typeparam name="TRun">What they are made for.</typeparam>
internal sealed class IdlePlans<TPlan, TRun>
    where TPlan : class, IReusablePlan<TRun>
{
    // Enough for a few shapes and levels in turn.
    private const int Most = 16;

    private readonly Lock _lock = new();
    private readonly List<TPlan> _plans = [];

    /// <summary>Takes the newest plan that serves a run; null where there is none.</summary>
    public TPlan? Take(in TRun run)
    {
        lock (_lock)
        {
            for (int i = _plans.Count - 1; i >= 0; i--)
            {
                TPlan plan = _plans[i];
                if (plan.Serves(run))
                {
                    _plans.RemoveAt(i);
                    return plan;
                }
            }
        }

        return null;
    }

    /// <summary>Gives a plan back, in the place of the oldest one where there are many.</summary>
    public void GiveBack(TPlan plan)
    {
        lock (_lock)
        {
            if (_plans.Count == Most)
                _plans.RemoveAt(0);
            _plans.Add(plan);
        }
    }
}
