using System.Diagnostics;
using System.Text;
using NestQuant.Onnx.Files.Transactions;
using NestQuant.TestSupport;

namespace NestQuant.Onnx.Tests.Files.Transactions;

public sealed class FileTransactionTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void FilesAppearTogetherAndReplaceOthers()
    {
        Put("m.onnx", "old");
        using (var transaction = new FileTransaction())
        {
            transaction.WriteText(_folder.File("sub/r.json"), "report");
            transaction.Write(_folder.File("m.onnx"), Text("new"), isModel: true);
            Assert.Equal("old", Get("m.onnx"));
            Assert.False(File.Exists(_folder.File("sub/r.json")));
            transaction.Commit();
        }

        Assert.Equal(("new", "report"), (Get("m.onnx"), Get("sub/r.json")));
        Assert.Equal(["m.onnx", "sub"], _folder.Names());
    }

    [Fact]
    public void WithoutACommitNothingRemains()
    {
        Put("m.onnx", "old");
        using (var transaction = new FileTransaction())
        {
            transaction.OpenFolder(_folder.File("new/deep"));
            transaction.Write(_folder.File("m.onnx"), Text("new"));
        }

        Assert.Equal("old", Get("m.onnx"));
        Assert.Equal(["m.onnx"], _folder.Names());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void AFileLeavesWhenTheOthersAppear(bool commits)
    {
        foreach (var name in new[] { "m.onnx", "m.low.6.bin", "m.other.bin" })
            Put(name, "old");
        using (var transaction = new FileTransaction())
        {
            transaction.Write(_folder.File("m.onnx"), Text("new"), isModel: true);
            transaction.Remove(_folder.File("m.low.6.bin"), isModel: false);
            Assert.Equal("old", Get("m.low.6.bin"));
            if (commits)
                transaction.Commit();
        }

        Assert.Equal(commits ? "new" : "old", Get("m.onnx"));
        Assert.Equal(commits ? ["m.onnx", "m.other.bin"] : ["m.low.6.bin", "m.onnx", "m.other.bin"], _folder.Names());
    }

    [Fact]
    public void AFileThatIsReadDoesNotLeave()
    {
        Put("m.low.bin", "old");
        using var transaction = new FileTransaction();
        transaction.Reads.Add(_folder.File("m.low.bin"));
        LoadTests.AssertRefused(() => transaction.Remove(_folder.File("m.low.bin"), isModel: false), "which this command reads");
    }

    [Fact]
    public void AFailedRenamePutsEverythingBack()
    {
        foreach (var name in new[] { "m.high.bin", "m.low.bin", "m.onnx" })
            Put(name, "old");
        using (var transaction = new FileTransaction())
        {
            transaction.Write(_folder.File("m.high.bin"), Text("new"));
            transaction.Write(_folder.File("m.new.bin"), Text("new"));
            transaction.Write(_folder.File("m.low.bin"), Text("new"));
            transaction.Write(_folder.File("m.onnx"), Text("new"), isModel: true);
            File.Delete(_folder.File("m.low.bin"));
            Directory.CreateDirectory(_folder.File("m.low.bin"));

            LoadTests.AssertRefused(transaction.Commit, $"Cannot write '{_folder.File("m.low.bin")}'");
        }

        Assert.Equal(("old", "old"), (Get("m.high.bin"), Get("m.onnx")));
        Assert.Equal(["m.high.bin", "m.low.bin", "m.onnx"], _folder.Names());
    }

    [Theory]
    [InlineData("a/r.json", "a/r.json")]
    [InlineData("a/r.json", "b/r.json")]
    public void TwoFilesThatWouldBeOneAreRefused(string first, string second)
    {
        Directory.CreateDirectory(_folder.File("a"));
        Directory.CreateSymbolicLink(_folder.File("b"), _folder.File("a"));
        using var transaction = new FileTransaction();
        transaction.WriteText(_folder.File(first), "1");

        LoadTests.AssertRefused(() => transaction.WriteText(_folder.File(second), "2"), "another file of this command");
    }

    [Theory]
    [InlineData("data.bin")]
    [InlineData("symbolic.bin")]
    [InlineData("hard.bin")]
    [InlineData("linked/data.bin")]
    [InlineData("./x/../data.bin")]
    public void WhatIsReadIsNotReplacedByAnyName(string destination)
    {
        Put("data.bin", "data");
        File.CreateSymbolicLink(_folder.File("symbolic.bin"), "data.bin");
        Run("ln", _folder.File("data.bin"), _folder.File("hard.bin"));
        Directory.CreateSymbolicLink(_folder.File("linked"), _folder.Path);
        using var byFile = new FileTransaction();
        byFile.Reads.Add(_folder.File("data.bin"));
        using var byFolder = new FileTransaction();
        byFolder.Reads.Add(_folder.Path);

        LoadTests.AssertRefused(() => byFile.WriteText(_folder.File(destination), "new"), "would replace");
        LoadTests.AssertRefused(() => byFolder.WriteText(_folder.File(destination), "new"), "would replace");
        Assert.Equal("data", Get("data.bin"));
    }

    [Theory]
    [InlineData("longer")]
    [InlineData("DATA")]
    [InlineData("")]
    public void WhatChangesWhileItIsReadIsAnError(string content)
    {
        Put("data.bin", "data");
        File.SetLastWriteTimeUtc(_folder.File("data.bin"), DateTime.UtcNow.AddMinutes(-1));
        using var transaction = new FileTransaction();
        transaction.Reads.Add(_folder.File("data.bin"));
        transaction.WriteText(_folder.File("r.json"), "report");
        Put("data.bin", content);

        LoadTests.AssertRefused(transaction.Commit, "changed while it was read");
        Assert.False(File.Exists(_folder.File("r.json")));
    }

    [Fact]
    public void AnOutputThatIsALinkIsReplacedAndNotFollowed()
    {
        Put("other.onnx", "other");
        File.CreateSymbolicLink(_folder.File("m.onnx"), "other.onnx");
        using (var transaction = new FileTransaction())
        {
            transaction.WriteText(_folder.File("m.onnx"), "new");
            transaction.Commit();
        }

        Assert.Equal(("new", "other"), (Get("m.onnx"), Get("other.onnx")));
    }

    [Fact]
    public void OnlyFilesAreReplaced()
    {
        Directory.CreateDirectory(_folder.File("folder"));
        Run("mkfifo", _folder.File("pipe"));
        using var transaction = new FileTransaction();

        LoadTests.AssertRefused(() => transaction.Check(_folder.File("folder")), "it is a folder");
        LoadTests.AssertRefused(() => transaction.Check(_folder.File("new/")), "it is a folder");
        LoadTests.AssertRefused(() => transaction.Check(_folder.File("pipe")), "not a regular file");
        LoadTests.AssertRefused(() => transaction.Reads.Add(_folder.File("pipe")), "not a regular file");
    }

    [Fact]
    public void AnAbandonedStagingFolderIsRemovedByTheNextOneAndALiveOneIsNot()
    {
        using var alive = StagingFolder.Create(_folder.Path);
        Directory.CreateDirectory(_folder.File(".nestquant-gone/new"));
        Put(".nestquant-gone/new/m.onnx", "half");
        Put(".nestquant-gone.lock", "");
        Put(".nestquant-alone.lock", "");

        StagingFolder.Create(_folder.Path).Dispose();

        Assert.True(Directory.Exists(alive.New));
        var name = Path.GetFileName(Path.GetDirectoryName(alive.New))!;
        Assert.Equal([name, name + ".lock"], _folder.Names());
        alive.Dispose();
        Assert.Empty(_folder.Names());
    }

    [Fact]
    public void RemovingAnAbandonedFolderFollowsNoLinks()
    {
        Directory.CreateDirectory(_folder.File("precious"));
        Put("precious/m.onnx", "precious");
        Directory.CreateSymbolicLink(_folder.File(".nestquant-evil"), _folder.File("precious"));
        Run("mkfifo", _folder.File(".nestquant-pipe.lock"));
        Put(".nestquant-evil.lock", "");

        StagingFolder.Create(_folder.Path).Dispose();

        Assert.Equal("precious", Get("precious/m.onnx"));
        Assert.Equal([".nestquant-pipe.lock", "precious"], _folder.Names());
    }

    private static Action<FileStream> Text(string text) => stream => stream.Write(Encoding.UTF8.GetBytes(text));

    private static void Run(string program, params string[] arguments) => Process.Start(program, arguments).WaitForExit();

    private void Put(string name, string content) => File.WriteAllText(_folder.File(name), content);

    private string Get(string name) => File.ReadAllText(_folder.File(name));
}
