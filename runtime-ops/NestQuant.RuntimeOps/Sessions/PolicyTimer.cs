using System.Diagnostics;
using NestQuant.RuntimeOps.Sessions.Policies;

namespace NestQuant.RuntimeOps.Sessions;

/// <summary>Asks a policy from time to time, and switches the session to what it says.</summary>
internal sealed class PolicyTimer : IDisposable
{
    private readonly IPrecisionPolicy _policy;
    private readonly NestedSession _session;
    private readonly ITimer _timer;
    private int _isAsking;

    /// <summary>Starts asking.</summary>
    public PolicyTimer(IPrecisionPolicy policy, NestedSession session, TimeSpan interval, TimeProvider clock)
    {
        _policy = policy;
        _session = session;
        _timer = clock.CreateTimer(static timer => ((PolicyTimer)timer!).Ask(), this, interval, interval);
    }

    /// <inheritdoc/>
    public void Dispose() => _timer.Dispose();

    private void Ask()
    {
        if (Interlocked.Exchange(ref _isAsking, 1) == 1)
            return;
        try
        {
            int bits = _policy.Choose(_session.Precisions, _session.Bits);
            if (bits != _session.Bits)
                _session.SwitchTo(bits);
        }
        catch (ObjectDisposedException)
        {
            _timer.Dispose();
        }
        catch (Exception error)
        {
            // No caller could take it, and one failed choice is no reason to end the process: the session goes on as it is.
            Trace.TraceError($"a precision policy failed: {error}");
        }
        finally
        {
            Volatile.Write(ref _isAsking, 0);
        }
    }
}
