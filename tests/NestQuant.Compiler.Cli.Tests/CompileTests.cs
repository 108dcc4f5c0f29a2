using System.Text.Json;
using NestQuant.Compiler.Cli.Terminal;
using NestQuant.Onnx;
using NestQuant.Onnx.Files;

namespace NestQuant.Compiler.Cli.Tests;

public sealed class CompileTests : IDisposable
{
    private static readonly string[] NestedFiles = ["cnn.high.bin", "cnn.low.bin", "cnn.onnx", "cnn.part.onnx"];

    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Nesting_writes_the_model_its_data_files_and_the_part_model_and_nothing_else()
    {
        ToolRun run = Tool.Run("compile", Golden.Cnn, "-o", _folder["cnn.onnx"], "--nest", "8:6").ShouldSucceed();

        Assert.Equal(NestedFiles, _folder.Entries);
        Assert.Empty(run.Error);
        Assert.Contains("5 of 5 candidates nested", run.Out, StringComparison.Ordinal);
        foreach (string file in NestedFiles)
            Assert.Contains($"wrote {_folder[file]} ({new FileInfo(_folder[file]).Length:N0} bytes)", run.Out, StringComparison.Ordinal);
    }

    [Fact]
    public void More_levels_have_a_file_for_every_step_and_a_part_model_for_every_precision()
    {
        ToolRun run = Tool.Run("compile", Golden.Cnn, "-o", _folder["cnn.onnx"], "--nest", "8:6:4:2").ShouldSucceed();
        string[] files =
        [
            "cnn.high.bin", "cnn.low.4.bin", "cnn.low.6.bin", "cnn.low.8.bin", "cnn.onnx", "cnn.part.4.onnx", "cnn.part.6.onnx",
            "cnn.part.onnx",
        ];
        Assert.Equal(files, _folder.Entries);
        Assert.Contains("nested 8:6:4:2", run.Out, StringComparison.Ordinal);
        Assert.Contains("KiB high + 8.8 KiB low.4 + 8.8 KiB low.6 + 8.8 KiB low.8", run.Out, StringComparison.Ordinal);

        Tool.Run("verify", _folder["cnn.onnx"]).ShouldSucceed();
        JsonElement levels = JsonDocument.Parse(Tool.Run("inspect", _folder["cnn.part.6.onnx"], "--json").ShouldSucceed().Out).RootElement
            .GetProperty("nested")[0].GetProperty("levels");
        Assert.Equal([8, 6, 4, 2], levels.EnumerateArray().Select(level => level.GetProperty("bits").GetInt32()));
        Assert.Equal([0, 80, 80, 64], levels.EnumerateArray().Select(level => level.GetProperty("bytes").GetInt64()));
        ToolRun evaluation = Tool.Run("evaluate", _folder["cnn.part.6.onnx"], "--data", Golden.Images).ShouldSucceed();
        Assert.DoesNotContain("\n   8 ", evaluation.Out, StringComparison.Ordinal);
        Assert.Contains("\n   6 ", evaluation.Out, StringComparison.Ordinal);
        Assert.Contains("\n   2 ", evaluation.Out, StringComparison.Ordinal);
        Tool.Run("evaluate", _folder["cnn.onnx"], "--data", Golden.Images, "--bits", "5")
            .ShouldFail(1, "5 bits are not possible: the model runs at 8, 6, 4 or 2 bits");
        Tool.Run("export", _folder["cnn.onnx"], "--bits", "4", "-o", _folder["qdq.onnx"]).ShouldSucceed();
        Tool.Run("export", _folder["cnn.part.6.onnx"], "--bits", "8", "-o", _folder["q.onnx"]).ShouldFail(1, "it runs at 6, 4 or 2 bits");
    }

    [Theory]
    [InlineData("8:4:6")]
    [InlineData("8:6:6")]
    [InlineData("8:6:1")]
    [InlineData("9:8:7")]
    [InlineData("8:7:6:5:4:3:2:1")]
    [InlineData("8")]
    [InlineData("8:")]
    public void Levels_that_do_not_descend_are_wrong_usage(string bits)
    {
        Tool.Run("compile", Golden.Cnn, "-o", _folder["cnn.onnx"], "--nest", bits).ShouldFail(2, "--nest: ");
        Assert.Empty(_folder.Entries);
    }

    [Fact]
    public void Weights_that_are_lost_are_named_in_the_summary()
    {
        ModelProto model = ModelFile.Load(Golden.Cnn);
        TensorProto weight = model.Graph!.Initializer.First(tensor => tensor.Dims.Count == 4);
        weight.RawData = TensorProto.FromFloats("", [.. weight.Dims], [.. Enumerable.Repeat(1e-38f, (int)weight.ElementCount)]).RawData;
        ModelFile.Save(model, _folder["tiny.onnx"]);

        ToolRun run = Tool.Run("compile", _folder["tiny.onnx"], "-o", _folder["cnn.onnx"], "--nest", "8:6").ShouldSucceed();

        Assert.Contains(
            "warning: /conv1/Conv: the weights of 16 of 16 output channels are so small that they round to zero at 8 bits\n",
            run.Out,
            StringComparison.Ordinal);
        Assert.Contains(
            "so small that they round to zero", Tool.Run("inspect", _folder["cnn.onnx"]).ShouldSucceed().Out, StringComparison.Ordinal);
    }

    [Fact]
    public void The_part_model_refers_to_the_high_file_of_the_full_model()
    {
        Tool.CompileCnn(_folder);

        string[] locations =
        [
            .. ModelFile.Load(_folder["cnn.part.onnx"]).Graph!.Initializer
                .Where(tensor => tensor.IsExternal)
                .Select(tensor => tensor.ExternalData.Find(entry => entry.Key == "location")!.Value)
                .Distinct(),
        ];

        Assert.Equal(["cnn.high.bin"], locations);
    }

    [Fact]
    public void The_bytes_do_not_depend_on_the_number_of_threads()
    {
        using var other = new TestFolder();
        Tool.CompileCnn(_folder, "--threads", "1");
        Tool.CompileCnn(other, "--threads", "2");

        foreach (string file in NestedFiles)
            Assert.Equal(File.ReadAllBytes(_folder[file]), File.ReadAllBytes(other[file]));
    }

    [Fact]
    public void Nesting_nothing_says_so_and_why()
    {
        Tool.CompileCnn(_folder);
        ToolRun again = Tool.Run("compile", _folder["cnn.onnx"], "-o", _folder["again.onnx"], "--nest", "8:6").ShouldSucceed();
        ToolRun excluded = Tool.Run("compile", Golden.Cnn, "-o", _folder["none.onnx"], "--nest", "8:6", "--exclude", "*").ShouldSucceed();
        ToolRun unasked = Tool.Run("compile", Golden.Cnn, "-o", _folder["plain.onnx"]).ShouldSucceed();

        Assert.Contains(
            "nothing is nested: the model has no Conv, ConvTranspose, Gemm, MatMul, Gather, LSTM, GRU or RNN left to nest",
            again.Out,
            StringComparison.Ordinal);
        Assert.Contains("nothing is nested: 0 of 5 candidates", excluded.Out, StringComparison.Ordinal);
        Assert.Contains("  5 kept: excluded by '*'", excluded.Out, StringComparison.Ordinal);
        Assert.DoesNotContain("nothing is nested", unasked.Out, StringComparison.Ordinal);
    }

    [Fact]
    public void Without_nest_only_the_graph_is_cleaned_up()
    {
        Tool.Run("compile", Golden.Path("digits-cnn-bn.onnx"), "-o", _folder["a.onnx"]).ShouldSucceed();

        Assert.Equal(["a.onnx"], _folder.Entries);
        Assert.DoesNotContain(ModelFile.Load(_folder["a.onnx"]).Graph!.Node, node => node.OpType == "BatchNormalization");
    }

    [Theory]
    [InlineData("fuse", 2, 0)]
    [InlineData("off", 0, 2)]
    public void GroupNL_blocks_are_fused_unless_turned_off(string kind, int fused, int sines)
    {
        ToolRun run = Tool.Run("compile", Golden.Path("digits-gnl.onnx"), "-o", _folder["a.onnx"], "--groupnl", kind).ShouldSucceed();

        List<NodeProto> nodes = ModelFile.Load(_folder["a.onnx"]).Graph!.Node;
        Assert.Equal(fused, nodes.Count(node => node.OpType == "GroupNLExpand"));
        Assert.Equal(sines, nodes.Count(node => node.OpType == "Sin"));
        Assert.Equal(fused > 0, run.Out.Contains("groupnl-fusion: 2 nodes rewritten", StringComparison.Ordinal));
    }

    [Fact]
    public void Excluded_nodes_are_kept_and_say_so()
    {
        ToolRun run = Tool.Run("compile", Golden.Cnn, "-o", _folder["cnn.onnx"], "--nest", "8:4", "--exclude", "/conv?/*").ShouldSucceed();

        Assert.Contains("1 of 5 candidates nested", run.Out, StringComparison.Ordinal);
        Assert.Contains("kept by nesting: excluded by '/conv?/*'", run.Out, StringComparison.Ordinal);
        Assert.Contains("98.64 % of all weight bytes stay float, 90.6 KiB", run.Out, StringComparison.Ordinal);
        Assert.Contains("  90.6 KiB in 4: excluded by '/conv?/*'", run.Out, StringComparison.Ordinal);
    }

    [Fact]
    public void The_json_report_has_every_decision_and_file()
    {
        Tool.CompileCnn(_folder, "--report", _folder["reports/r.json"]);

        using JsonDocument report = JsonDocument.Parse(File.ReadAllText(_folder["reports/r.json"]));
        JsonElement root = report.RootElement;
        Assert.Equal(5, root.GetProperty("decisions").EnumerateArray().Count(decision => decision.TryGetProperty("nesting", out _)));
        Assert.Equal(
            NestedFiles.Select(file => (_folder[file], new FileInfo(_folder[file]).Length)),
            root.GetProperty("files").EnumerateArray()
                .Select(file => (file.GetProperty("path").GetString()!, file.GetProperty("bytes").GetInt64()))
                .OrderBy(file => file.Item1, StringComparer.Ordinal));
    }

    [Fact]
    public void The_html_report_is_self_contained()
    {
        Tool.CompileCnn(_folder, "--report", _folder["r.html"]);

        string html = File.ReadAllText(_folder["r.html"]);
        Assert.Contains("<svg", html, StringComparison.Ordinal);
        Assert.Contains("/conv1/Conv", html, StringComparison.Ordinal);
        Assert.DoesNotContain("http", html, StringComparison.Ordinal);
        Assert.DoesNotContain("src=", html, StringComparison.Ordinal);
        Assert.DoesNotContain("<script", html, StringComparison.Ordinal);
    }

    [Fact]
    public void A_compiled_model_replaces_an_older_one()
    {
        Tool.CompileCnn(_folder);
        byte[] before = File.ReadAllBytes(_folder["cnn.high.bin"]);
        Tool.Run("compile", Golden.Cnn, "-o", _folder["cnn.onnx"], "--nest", "8:4").ShouldSucceed();

        Assert.Equal(NestedFiles, _folder.Entries);
        Assert.NotEqual(before, File.ReadAllBytes(_folder["cnn.high.bin"]));
    }

    [Fact]
    public void The_source_is_never_replaced_not_even_through_a_link()
    {
        File.Copy(Golden.Cnn, _folder["source.onnx"]);
        File.CreateSymbolicLink(_folder["link.onnx"], _folder["source.onnx"]);
        Directory.CreateSymbolicLink(_folder["folder"], _folder.Root);
        IReadOnlyList<string> before = _folder.Entries;

        foreach (string output in new[] { "source.onnx", "link.onnx", "folder/source.onnx" })
            Tool.Run("compile", _folder["source.onnx"], "-o", _folder[output]).ShouldFail(1, "would replace");

        Assert.Equal(File.ReadAllBytes(Golden.Cnn), File.ReadAllBytes(_folder["source.onnx"]));
        Assert.Equal(before, _folder.Entries);
    }

    [Fact]
    public void The_data_files_of_the_source_are_never_replaced()
    {
        // The source's weights lie where the output's data file would go.
        ModelFile.Save(ModelFile.Load(Golden.Cnn), _folder["out.onnx"], new SaveOptions { ExternalData = ExternalDataMode.Always });
        File.Move(_folder["out.onnx"], _folder["source.onnx"]);
        byte[] before = File.ReadAllBytes(_folder["out.onnx.data"]);

        Tool.Run("compile", _folder["source.onnx"], "-o", _folder["out.onnx"]).ShouldFail(1, "would replace");

        Assert.Equal(["out.onnx.data", "source.onnx"], _folder.Entries);
        Assert.Equal(before, File.ReadAllBytes(_folder["out.onnx.data"]));
    }

    [Fact]
    public void A_cancelled_compilation_leaves_nothing()
    {
        using var error = new StringWriter { NewLine = "\n" };
        int code = CliApplication.Run(
            [
                "compile", Golden.Cnn, "-o", _folder["new/cnn.onnx"], "--nest", "8:6"
            ], new CliConsole(TextWriter.Null, error), new CancellationToken(canceled: true));

        Assert.Equal((1, "nestquant: cancelled\n"), (code, error.ToString()));
        Assert.Empty(_folder.Entries);
    }
}
