using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.ML.OnnxRuntime;
using NestQuant.Onnx;
using NestQuant.Onnx.Files;
using NestQuant.RuntimeOps.Packing;
using NestQuant.RuntimeOps.Sessions;
using NestQuant.TestSupport;

namespace NestQuant.RuntimeOps.Tests.Sessions;

public sealed class NestedSessionTests : IDisposable
{
    private readonly CompiledFiles _files = new(new NestedBits(8, 6));

    public void Dispose() => _files.Dispose();

    [Fact]
    public void A_run_has_the_precision_of_the_session_unless_it_chooses_its_own()
    {
        float[] full = CompiledFiles.Expected(_files.Full, 8), part = CompiledFiles.Expected(_files.Full, 6);
        Assert.NotEqual(full, part);
        using NestedSession session = NestedSession.Open(_files.Full);
        Assert.Equal([8, 6], session.Precisions);
        Assert.Equal(8, session.Bits);
        Assert.Equal(["x"], session.InputNames);
        Assert.Equal(full, CompiledFiles.Run(session));
        Assert.Equal(part, CompiledFiles.Run(session, 6));
        session.SwitchTo(6);
        Assert.Equal(6, session.Bits);
        Assert.Equal(part, CompiledFiles.Run(session));
        Assert.Equal(full, CompiledFiles.Run(session, 8));
        session.SwitchTo(8);
        Assert.Equal(full, CompiledFiles.Run(session));
    }

    [Fact]
    public void The_precision_at_the_start_is_an_option()
    {
        using NestedSession session = NestedSession.Open(_files.Full, new NestedSessionOptions { Bits = 6 });
        Assert.Equal(CompiledFiles.Expected(_files.Full, 6), CompiledFiles.Run(session));
        Assert.Throws<ArgumentOutOfRangeException>(() => NestedSession.Open(_files.Full, new NestedSessionOptions { Bits = 7 }));
    }

    [Fact]
    public void Models_run_before_they_are_used_where_inputs_are_given()
    {
        NestedSessionOptions options = new() { WarmUp = CompiledFiles.Input() };
        using NestedSession session = NestedSession.Open(_files.Part, options);
        Assert.Equal(CompiledFiles.Expected(_files.Full, 6), CompiledFiles.Run(session));
        // What does not fit the model shows that it is run, also when it replaces another.
        options.WarmUp = new Dictionary<string, OrtValue> { ["x"] = SessionRuns.Tensor(new float[3], 1, 3) };
        Assert.Throws<OnnxRuntimeException>(() => NestedSession.Open(_files.Full, options));
        Assert.Throws<OnnxRuntimeException>(() => session.ReplaceModel(_files.Full));
        Assert.Equal([6], session.Precisions);
        options.WarmUp = CompiledFiles.Input();
        session.ReplaceModel(_files.Full);
        session.SwitchTo(8);
        Assert.Equal(CompiledFiles.Expected(_files.Full, 8), CompiledFiles.Run(session));
    }

    [SkippableFact]
    public void Runs_before_a_model_is_used_leave_the_memory_of_its_precision()
    {
        Skip.IfNot(OperatingSystem.IsLinux(), "reads /proc/self/pagemap");
        NestedSessionOptions options = new() { Bits = 6, WarmUp = CompiledFiles.Input() };
        using NestedSession session = NestedSession.Open(_files.Full, options);
        Assert.InRange(session.Memory.ResidentLow!.Value, 0, 2 * Environment.SystemPageSize);
        session.SwitchTo(8);
        session.ReplaceModel(_files.Full);
        Assert.Equal(session.Memory.Low, session.Memory.ResidentLow);
        session.SwitchTo(6);
        session.ReplaceModel(_files.Full);
        Assert.InRange(session.Memory.ResidentLow!.Value, 0, 2 * Environment.SystemPageSize);
    }

    [Fact]
    public void A_precision_that_the_files_do_not_allow_changes_nothing()
    {
        using NestedSession session = NestedSession.Open(_files.Part);
        string message = Assert.Throws<ArgumentOutOfRangeException>(() => session.SwitchTo(8)).Message;
        Assert.Contains($"the precisions of '{_files.Part}' are 6", message, StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>(() => CompiledFiles.Run(session, 8));
        Assert.Equal(CompiledFiles.Expected(_files.Full, 6), CompiledFiles.Run(session));
    }

    /// <summary>At 6 bits the second weight would need its low operand.</summary>
    [Fact]
    public void A_precision_takes_the_operands_of_all_weights()
    {
        using CompiledFiles files = new(new NestedBits(8, 6), second: new NestedBits(6, 4));
        using NestedSession full = NestedSession.Open(files.Full);
        Assert.Equal([8, 6, 4], full.Precisions);
        using NestedSession part = NestedSession.Open(files.Part);
        Assert.Equal([4], part.Precisions);
        Assert.Equal(CompiledFiles.Expected(files.Full, 4), CompiledFiles.Run(part));
    }

    [Fact]
    public async Task Runs_may_be_asynchronous()
    {
        using NestedSession session = NestedSession.Open(_files.Full);
        float[][] expected = [CompiledFiles.Expected(_files.Full, 8), CompiledFiles.Expected(_files.Full, 6)];
        Dictionary<string, OrtValue> input = CompiledFiles.Input();
        using OrtValue x = input["x"];
        var runs = Enumerable.Range(0, 20).Select(i => session.RunAsync(input, bits: 8 - (2 * (i % 2)))).ToArray();
        for (int i = 0; i < runs.Length; i++)
        {
            using IDisposableReadOnlyCollection<OrtValue> results = await runs[i];
            Assert.Equal(expected[i % 2], results[0].GetTensorDataAsSpan<float>().ToArray());
        }

        using CancellationTokenSource ended = new();
        await ended.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => session.RunAsync(input, cancellation: ended.Token));
    }

    [SkippableFact]
    public void A_switch_gives_memory_back_at_once()
    {
        Skip.IfNot(OperatingSystem.IsLinux(), "reads /proc/self/pagemap");
        using NestedSession session = NestedSession.Open(_files.Full);
        CompiledFiles.Run(session);
        NestedMemory full = session.Memory;
        Assert.InRange(full.High, 2 * 384 * 512 * 6 / 8, 2 * 384 * 512);
        Assert.Equal(full.Low, full.ResidentLow);
        Assert.Equal(0, full.Unmapped);
        session.SwitchTo(6);
        Assert.InRange(session.Memory.ResidentLow!.Value, 0, 2 * Environment.SystemPageSize);
        Assert.Equal(full.High, session.Memory.ResidentHigh);
        session.SwitchTo(8);
        Assert.Equal(full.Low, session.Memory.ResidentLow);
    }

    [Fact]
    public void ONNX_Runtime_does_not_advise_to_remove_the_switch()
    {
        List<string> messages = [];
        NestedSession.Open(_files.Full, new NestedSessionOptions
        {
            Log = (_, message) => messages.Add(message),
            Configure = static options => options.LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_INFO,
        }).Dispose();
        Assert.NotEmpty(messages);
        Assert.DoesNotContain(messages, static message => message.Contains(NestQuantOps.BitsInput, StringComparison.Ordinal));
    }

    [Fact]
    public void Switches_and_runs_are_counted()
    {
        List<(string Name, long Value, string Tags)> measured = [];
        using MeterListener listener = new();
        listener.InstrumentPublished = static (instrument, listener) =>
        {
            if (instrument.Meter.Name == "NestQuant.RuntimeOps")
                listener.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) =>
        {
            string text = string.Join(' ', tags.ToArray().Select(static tag => $"{tag.Key}={tag.Value}"));
            if (text.Contains("model=counted.onnx", StringComparison.Ordinal))
                measured.Add((instrument.Name, value, text));
        });
        listener.Start();
        File.Copy(_files.Full, _files.File("counted.onnx"));
        using NestedSession session = NestedSession.Open(_files.File("counted.onnx"));
        CompiledFiles.Run(session);
        session.SwitchTo(6);
        session.SwitchTo(6);
        CompiledFiles.Run(session, 8);
        Assert.Equal(2, measured.Count(static m => m is ("nestquant.runs", 1, "model=counted.onnx bits=8")));
        Assert.Contains(("nestquant.switches", 1, "model=counted.onnx from=8 to=6"), measured);
        if (OperatingSystem.IsLinux())
        {
            (_, long bytes, _) = Assert.Single(measured, static m => m is ("nestquant.paged", _, "model=counted.onnx direction=released"));
            Assert.InRange(bytes, session.Memory.Low, session.Memory.Low + (4 * Environment.SystemPageSize));
        }
    }

    [Fact]
    public void A_model_without_nested_weights_is_refused()
    {
        string path = _files.File("plain.onnx");
        ModelFile.Save(new GraphBuilder().Input("x", 1).Node("y = Neg(x)").Output("y").Model(), path);
        string message = Assert.Throws<InvalidDataException>(() => NestedSession.Open(path)).Message;
        Assert.Contains("no nested weights", message, StringComparison.Ordinal);
    }

    [Fact]
    public void Services_open_a_session_once()
    {
        ServiceCollection services = new();
        services.AddNestedSession(_files.Full, static (_, options) => options.Bits = 6);
        services.AddKeyedNestedSession("part", _files.Part);
        using ServiceProvider provider = services.BuildServiceProvider();
        NestedSession session = provider.GetRequiredService<NestedSession>();
        Assert.Same(session, provider.GetRequiredService<NestedSession>());
        Assert.Equal(6, session.Bits);
        Assert.Equal([6], provider.GetRequiredKeyedService<NestedSession>("part").Precisions);
        provider.Dispose();
        Assert.Throws<ObjectDisposedException>(() => session.SwitchTo(8));
    }

    [Fact]
    public async Task Runs_in_flight_outlive_the_session_and_new_ones_fail()
    {
        NestedSession session = NestedSession.Open(_files.Full);
        float[] expected = CompiledFiles.Expected(_files.Full, 8);
        using CountdownEvent started = new(4);
        Task[] runs = [.. Enumerable.Range(0, 4).Select(_ => Task.Factory.StartNew(
            () =>
            {
                started.Signal();
                try
                {
                    while (true)
                        Assert.Equal(expected, CompiledFiles.Run(session));
                }
                catch (ObjectDisposedException)
                {
                    // what a new run is told
                }
            },
            CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default))];
        started.Wait();
        session.Dispose();
        await Task.WhenAll(runs);
        session.Dispose();
    }
}
