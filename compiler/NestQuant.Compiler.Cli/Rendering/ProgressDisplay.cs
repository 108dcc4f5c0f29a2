using NestQuant.Compiler.Cli.Terminal;
using NestQuant.Compiler.Pipeline;
using Spectre.Console;

namespace NestQuant.Compiler.Cli.Rendering;

/// <summary>Shows the progress of long work on a terminal's error stream, and nothing in a pipe.</summary>
internal static class ProgressDisplay
{
    /// <summary>Runs work that reports the progress of passes.</summary>
    public static T Run<T>(CliConsole console, Func<IProgress<PassProgress>?, T> work)
    {
        if (!console.ErrorIsTerminal)
            return work(null);
        return Bars(console).Start(context =>
        {
            var tasks = new Dictionary<string, ProgressTask>(StringComparer.Ordinal);
            return work(new Relay<PassProgress>(progress =>
            {
                if (progress.Total == 0)
                    return; // short passes have no bar
                if (!tasks.TryGetValue(progress.Pass, out ProgressTask? task))
                    tasks.Add(progress.Pass, task = context.AddTask(Markup.Escape(progress.Pass), maxValue: Math.Max(progress.Total, 1)));
                task.Value = progress.Done;
            }));
        });
    }

    /// <summary>Runs work that counts units up to a total.</summary>
    public static T Run<T>(CliConsole console, string title, long total, Func<Action<long>?, T> work)
    {
        if (!console.ErrorIsTerminal)
            return work(null);
        return Bars(console).Start(context =>
        {
            ProgressTask task = context.AddTask(Markup.Escape(title), maxValue: Math.Max(total, 1));
            return work(done => task.Value = done);
        });
    }

    private static Progress Bars(CliConsole console) => console.RichError().Progress()
        .AutoClear(true)
        .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn());

    // System.Progress would report through the thread pool, out of order; a bar can be set from any thread.
    private sealed class Relay<T>(Action<T> report) : IProgress<T>
    {
        private readonly Lock _lock = new();

        public void Report(T value)
        {
            lock (_lock)
                report(value);
        }
    }
}
