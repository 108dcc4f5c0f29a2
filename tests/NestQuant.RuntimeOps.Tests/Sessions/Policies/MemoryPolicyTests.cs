using NestQuant.RuntimeOps.Packing;
using NestQuant.RuntimeOps.Sessions;
using NestQuant.RuntimeOps.Sessions.Policies;
using NestQuant.TestSupport;

namespace NestQuant.RuntimeOps.Tests.Sessions.Policies;

public sealed class MemoryPolicyTests : IDisposable
{
    private static readonly int[] s_precisions = [8, 6, 4];

    private readonly TemporaryFolder _root = new();
    private readonly ManualClock _clock = new();
    private readonly MemoryPolicy _policy;

    public MemoryPolicyTests() => _policy = new MemoryPolicy(new MemoryReader(_root.Path), _clock);

    public void Dispose() => _root.Dispose();

    [Fact]
    public void It_falls_a_level_at_a_time_while_memory_is_short_and_rises_after_a_while()
    {
        System(available: 5);
        Assert.Equal(6, Choose(8));
        Assert.Equal(4, Choose(6));
        Assert.Equal(4, Choose(4));
        System(available: 50);
        Assert.Equal(4, Choose(4));
        _clock.Pass(29);
        Assert.Equal(4, Choose(4));
        _clock.Pass(2);
        Assert.Equal(6, Choose(4));
        _clock.Pass(29);
        Assert.Equal(6, Choose(6));
        _clock.Pass(2);
        Assert.Equal(8, Choose(6));
    }

    [Fact]
    public void What_lies_between_changes_nothing_and_starts_the_wait_anew()
    {
        System(available: 50);
        _clock.Pass(25);
        Assert.Equal(6, Choose(6));
        System(available: 15);
        _clock.Pass(10);
        Assert.Equal(6, Choose(6));
        System(available: 50);
        _clock.Pass(10);
        Assert.Equal(6, Choose(6));
        _clock.Pass(40);
        Assert.Equal(8, Choose(6));
    }

    [Theory]
    [InlineData("1000", 950, 0, "0.00", 6)] // the group's limit
    [InlineData("1000", 950, 600, "0.00", 8)] // but most of it are file pages
    [InlineData("max", 950, 0, "0.00", 8)] // no limit
    [InlineData("1000", 100, 0, "25.00", 6)] // tasks wait for memory
    public void Limits_and_pressure_of_the_control_group_count(string limit, int used, int files, string stalled, int expected)
    {
        System(available: 50);
        Write("proc/self/cgroup", "0::/app/worker\n");
        Write("sys/fs/cgroup/app/memory.max", limit);
        Write("sys/fs/cgroup/app/memory.current", $"{used}");
        Write("sys/fs/cgroup/app/memory.stat", $"anon 1\ninactive_file {files}\n");
        Write("sys/fs/cgroup/app/worker/memory.pressure", $"some avg10={stalled} avg60=0.00 avg300=0.00 total=1\nfull avg10=0.00\n");
        Assert.Equal(expected, Choose(8));
    }

    [Fact]
    public void Without_readings_the_precision_stays() => Assert.Equal(6, Choose(6));

    [Fact]
    public void A_session_follows_its_policy()
    {
        using CompiledFiles files = new(new NestedBits(8, 6));
        using NestedSession session = NestedSession.Open(files.Full, new NestedSessionOptions { Policy = _policy, Clock = _clock });
        System(available: 5);
        _clock.Tick();
        Assert.Equal(6, session.Bits);
        File.Delete(_root.File("proc/meminfo"));
        _clock.Tick();
        Assert.Equal(6, session.Bits);
        System(available: 50);
        _clock.Tick();
        _clock.Pass(31);
        _clock.Tick();
        Assert.Equal(8, session.Bits);
    }

    private int Choose(int bits) => _policy.Choose(s_precisions, bits);

    private void System(int available) => Write("proc/meminfo", $"MemTotal: 100 kB\nMemFree: 1 kB\nMemAvailable: {available} kB\n");

    private void Write(string file, string text) => _root.Write(file, global::System.Text.Encoding.ASCII.GetBytes(text));

    /// <summary>A clock that stands still between calls, whose timers fire when a test says so.</summary>
    private sealed class ManualClock : TimeProvider
    {
        private long _seconds;
        private Action? _timer;

        public override long TimestampFrequency => 1;

        public override long GetTimestamp() => _seconds;

        public void Pass(int seconds) => _seconds += seconds;

        public void Tick() => _timer!();

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            _timer = () => callback(state);
            return new Stopped();
        }

        private sealed class Stopped : ITimer
        {
            public bool Change(TimeSpan dueTime, TimeSpan period) => true;

            public void Dispose()
            {
            }

            public ValueTask DisposeAsync() => ValueTask.CompletedTask;
        }
    }
}
