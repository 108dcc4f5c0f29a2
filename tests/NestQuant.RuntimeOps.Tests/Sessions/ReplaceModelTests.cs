using Microsoft.ML.OnnxRuntime;
using NestQuant.RuntimeOps.Packing;
using NestQuant.RuntimeOps.Sessions;

namespace NestQuant.RuntimeOps.Tests.Sessions;

public sealed class ReplaceModelTests : IDisposable
{
    private readonly CompiledFiles _files = new(new NestedBits(8, 6));

    public void Dispose() => _files.Dispose();

    [Fact]
    public async Task A_part_session_becomes_a_full_one_and_back_under_load()
    {
        float[] full = CompiledFiles.Expected(_files.Full, 8), part = CompiledFiles.Expected(_files.Full, 6);
        using NestedSession session = NestedSession.Open(_files.Part);
        bool ended = false;
        int runs = 0;
        Task[] load = [.. Enumerable.Range(0, 2).Select(_ => Task.Factory.StartNew(
            () =>
            {
                while (!Volatile.Read(ref ended))
                {
                    float[] result = CompiledFiles.Run(session);
                    Assert.True(result.AsSpan().SequenceEqual(part) || result.AsSpan().SequenceEqual(full));
                    Interlocked.Increment(ref runs);
                }
            },
            CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default))];
        for (int i = 0; i < 5; i++)
        {
            session.ReplaceModel(_files.Full);
            Assert.Equal(6, session.Bits);
            session.SwitchTo(8);
            Assert.Equal(full, CompiledFiles.Run(session));
            session.ReplaceModel(_files.Part);
            Assert.Equal([6], session.Precisions);
            Assert.Equal(part, CompiledFiles.Run(session));
        }

        Volatile.Write(ref ended, true);
        await Task.WhenAll(load);
        Assert.NotEqual(0, runs);
    }

    [Fact]
    public void Steps_arrive_one_after_the_other()
    {
        using CompiledFiles files = new(new NestedBits(8, 6, 4));
        using NestedSession session = NestedSession.Open(files.Part);
        Assert.Equal([4], session.Precisions);
        session.ReplaceModel(files.File("m.part.6.onnx"));
        Assert.Equal([6, 4], session.Precisions);
        session.SwitchTo(6);
        session.ReplaceModel(files.Full);
        Assert.Equal([8, 6, 4], session.Precisions);
        Assert.Equal(6, session.Bits);
        foreach (int bits in session.Precisions)
            Assert.Equal(CompiledFiles.Expected(files.Full, bits), CompiledFiles.Run(session, bits));
    }

    [Theory]
    [InlineData("missing")]
    [InlineData("truncated")]
    [InlineData("one bit flipped")]
    [InlineData("of another compile")]
    public void A_damaged_low_file_is_refused_and_the_session_goes_on(string damage)
    {
        using CompiledFiles other = new(new NestedBits(8, 5));
        using NestedSession session = NestedSession.Open(_files.Part);
        byte[] low = File.ReadAllBytes(_files.Low);
        File.Delete(_files.Low);
        if (damage == "truncated")
            File.WriteAllBytes(_files.Low, low[..^4096]);
        if (damage == "one bit flipped")
        {
            low[low.Length / 3] ^= 1;
            File.WriteAllBytes(_files.Low, low);
        }

        if (damage == "of another compile")
            File.Copy(other.Low, _files.Low);
        Exception error = Assert.ThrowsAny<Exception>(() => session.ReplaceModel(_files.Full));
        Assert.True(error is OnnxRuntimeException or InvalidDataException, error.ToString());
        // Where ONNX Runtime cannot read a file at all, it names the tensor.
        Assert.True(error.Message.Contains("m.low.bin", StringComparison.Ordinal)
            || error.Message.Contains("_low", StringComparison.Ordinal), error.Message);
        Assert.Equal(_files.Part, session.ModelPath);
        Assert.Equal(CompiledFiles.Expected(_files.Part, 6), CompiledFiles.Run(session));
    }

    [Fact]
    public void A_model_of_another_compile_is_refused()
    {
        using CompiledFiles other = new(new NestedBits(8, 5));
        using NestedSession session = NestedSession.Open(_files.Part);
        string message = Assert.Throws<InvalidDataException>(() => session.ReplaceModel(other.Full)).Message;
        Assert.Contains("not of the same compile", message, StringComparison.Ordinal);
        Assert.Equal([6], session.Precisions);
    }

    [Theory]
    [InlineData("truncated")]
    [InlineData("overwritten")]
    public void A_low_file_that_changes_while_it_is_mapped_is_not_read_any_more(string damage)
    {
        using NestedSession session = NestedSession.Open(_files.Full, new NestedSessionOptions { Bits = 6 });
        float[] part = CompiledFiles.Run(session);
        using (FileStream low = new(_files.Low, FileMode.Open, FileAccess.Write, FileShare.ReadWrite))
        {
            if (damage == "truncated")
                low.SetLength(0);
            else
                low.WriteByte(1);
        }

        File.SetLastWriteTimeUtc(_files.Low, DateTime.UtcNow.AddSeconds(2));
        string message = Assert.Throws<InvalidDataException>(() => session.SwitchTo(8)).Message;
        Assert.Contains("m.low.bin", message, StringComparison.Ordinal);
        Assert.Contains("stays at 6 bits", message, StringComparison.Ordinal);
        Assert.Throws<InvalidDataException>(() => CompiledFiles.Run(session, 8));
        Assert.Equal(part, CompiledFiles.Run(session));
    }

    [SkippableFact]
    public void A_low_file_that_is_removed_or_replaced_by_a_rename_stays_what_it_was()
    {
        Skip.If(OperatingSystem.IsWindows(), "Windows does not remove a file that is open");
        float[] full = CompiledFiles.Expected(_files.Full, 8);
        using NestedSession session = NestedSession.Open(_files.Full, new NestedSessionOptions { Bits = 6 });
        File.WriteAllBytes(_files.File("new"), new byte[10]);
        File.Move(_files.File("new"), _files.Low, overwrite: true);
        session.SwitchTo(8);
        Assert.Equal(full, CompiledFiles.Run(session));
    }
}
