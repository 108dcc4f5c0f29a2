using System.Text;
using NestQuant.Compiler.Cli.Configuration;
using NestQuant.Onnx;
using NestQuant.TestSupport;
using NJsonSchema;

namespace NestQuant.Compiler.Cli.Tests;

/// <summary>The file that <c>compile --config</c> reads: its keys, its errors, its schema, and what it makes of a model.</summary>
public sealed class ConfigTests : IDisposable
{
    private readonly TestFolder _folder = new();

    /// <summary>Texts that are wrong, where, and what is said.</summary>
    public static TheoryData<string, string> WrongTexts => new()
    {
        { "{\n  \"weights\": { \"bitz\": \"8:6\" }\n}", "c.json:2:16: weights.bitz: unknown key; near it: 'bits'" },
        { "{ \"weights\": { \"bits\": 8 } }", "c.json:1:24: weights.bits: a text is needed, and this is the number 8" },
        { "{ \"weights\": { \"bits\": \"9:4\" } }", "weights.bits: '9:4' is impossible: write 8:6, or 8:6:4" },
        { "{ \"weights\": { \"bits\": \"8:4:6\" } }", "weights.bits: '8:4:6' is impossible" },
        { "{ \"weights\": { \"bits\": \"8\" } }", "weights.bits: '8' is impossible" },
        { "{ \"weights\": { \"rules\": [{ \"name\": \"a\", \"bits\": \"8:6:1\" }] } }", "rules[0].bits: '8:6:1' is impossible" },
        { "{ \"weights\": { \"rounding\": \"floor\" } }", "weights.rounding: 'floor' is none of adaptive, nearest" },
        { "{ \"weights\": [] }", "weights: an object is needed, and this is a list" },
        { "{ \"weights\": { \"exclude\": \"a\" } }", "weights.exclude: a list of texts is needed" },
        { "{ \"weights\": { \"exclude\": [1] } }", "weights.exclude[0]: a text is needed" },
        {
            "{ \"weights\": { \"rules\": [{ \"bits\": \"8:6\" }] } }",
            "c.json:1:26: weights.rules[0]: a rule needs one of name and operator"
                },
        { "{ \"weights\": { \"rules\": [{ \"name\": \"a\" }] } }", "weights.rules[0]: this rule gives no setting" },
        {
            "{ \"weights\": { \"rules\": [{ \"name\": \"a\", \"exclude\": \"yes\" }] } }",
            "weights.rules[0].exclude: true or false is needed"
                },
        { "{ \"weights\": { \"rules\": [{ \"operator\": \"Relu\", \"exclude\": true }] } }", "'Relu' is none of Conv, ConvTranspose" },
        { "{ \"threads\": 0 }", "threads: a number of at least 1 is needed" },
        { "{ \"opset\": 6 }", "opset: a number of at least 7 is needed" },
        { "{ \"opset\": 19 }", "opset: a number of at most 18 is needed" },
        { "{ \"threads\": 1.5 }", "threads: an integer of at most 32 bits" },
        { "{ \"groupNL\": { \"budget\": 0 } }", "groupNL.budget: a number above 0" },
        { "{ \"groupNL\": { \"mode\": \"melt\" } }", "groupNL.mode: 'melt' is impossible: write fuse, off" },
        { "{ \"calibration\": { \"size\": \"big\" } }", "calibration.size: 'big' is impossible: write 224" },
        { "{ \"calibration\": { \"mean\": [] } }", "calibration.mean: at least one number is needed" },
        { "{ \"check\": null }", "check: true or false is needed, and this is null" },
        { "[]", "c.json:1:1: an object is needed" },
    };

    /// <summary>Texts that are right.</summary>
    public static TheoryData<string> RightTexts =>
    [
        "{}",
        "{ \"$schema\": \"docs/nestquant.schema.json\", \"model\": \"a.onnx\", \"output\": \"b.onnx\", \"reports\": [] }",
        "{ \"weights\": { \"bits\": \"8:6\", \"scheme\": \"affine\", \"rounding\": \"nearest\", \"splitRounding\": \"floor\" } }",
        "{ \"weights\": { \"bits\": \"8:6:4:3:2\" } }",
        "{ \"weights\": { \"rules\": [{ \"name\": \"a\", \"operator\": \"Conv\", \"bits\": \"3:2\", \"weightOnly\": false }] } }",
        "{ \"calibration\": { \"data\": \"d\", \"method\": \"percentile:99.9\", \"size\": \"224x320\", "
            + "\"mean\": [0.5, 1e-3], \"std\": [1] } }",
        "{ \"groupNL\": { \"mode\": \"expand:r=2,g=4\", \"include\": [\"a\"], \"budget\": 0.5, \"ridge\": 0 } }",
        "{ \"customOps\": [\"a.so\"], \"check\": false, \"allowLinks\": true, \"opset\": 18, \"threads\": 2, "
            + "\"keepOverridable\": true, \"constantInputs\": [\"a*\"] }",
    ];

    private string Output => _folder["out.onnx"];

    [Theory]
    [MemberData(nameof(WrongTexts))]
    public async Task Wrong_texts_are_refused_by_the_reader_and_by_the_schema(string text, string message)
    {
        string error = Assert.Throws<ModelException>(() => ConfigReader.Parse("c.json", Encoding.UTF8.GetBytes(text))).Message;
        Assert.Contains(message, error, StringComparison.Ordinal);
        Assert.NotEmpty((await Schema()).Validate(text));
    }

    [Theory]
    [MemberData(nameof(RightTexts))]
    public async Task Right_texts_are_taken_by_both_and_written_as_they_were(string text)
    {
        Config config = ConfigReader.Parse("c.json", Encoding.UTF8.GetBytes(text));
        Assert.Empty((await Schema()).Validate(text));
        string written = ConfigWriter.Write(config);
        Assert.Equal(written, ConfigWriter.Write(ConfigReader.Parse("w.json", Encoding.UTF8.GetBytes(written))));
        Assert.Empty((await Schema()).Validate(written));
    }

    /// <summary>The pattern of levels, which editors read, takes every descending list of at least two, and no other order.</summary>
    [Fact]
    public async Task Levels_are_possible_where_they_descend()
    {
        JsonSchema schema = await Schema();
        for (int set = 1; set < 1 << 7; set++)
        {
            int[] levels = [.. Enumerable.Range(2, 7).Where(bits => (set & (1 << (bits - 2))) != 0).Reverse()];
            Assert.Equal(levels.Length >= 2, IsPossible(levels));
            Assert.False(IsPossible([.. levels.Reverse().Append(levels[0])]));
        }

        bool IsPossible(int[] levels) =>
            schema.Validate($$"""{ "weights": { "bits": "{{string.Join(':', levels)}}" } }""").Count == 0;
    }

    /// <summary>
    /// After a change of <see cref="ConfigKeys"/>: NESTQUANT_UPDATE_SCHEMA=1 dotnet test --filter ConfigTests writes the file.
    /// </summary>
    [Fact]
    public void The_published_schema_is_that_of_the_reader()
    {
        string path = Path.Combine(Checkout.Root, "docs", "nestquant.schema.json");
        if (Environment.GetEnvironmentVariable("NESTQUANT_UPDATE_SCHEMA") == "1") File.WriteAllText(path, ConfigSchema.Write());
        Assert.Equal(ConfigSchema.Write(), File.ReadAllText(path));
    }

    [Theory]
    [InlineData("{ \"model\": 1, }", ":1:12: model: a text is needed")]
    [InlineData("{ \"model\": \"a\", \"model\": \"b\" }", ": model: this key is there twice")]
    [InlineData("{ \"model\": \"a\" ", "this is no JSON")]
    [InlineData("{}{}", "this is no JSON")]
    [InlineData("", "this is no JSON")]
    public void A_file_that_is_wrong_is_one_line_and_exit_code_1(string text, string message) =>
        Tool.Run("compile", Golden.Cnn, "-o", Output, "--config", Write(text)).ShouldFail(1, message);

    [Fact]
    public void A_file_that_is_not_there_or_too_large_is_one_line_and_exit_code_1()
    {
        Tool.Run("compile", "--config", _folder["none.json"]).ShouldFail(1, "no such file");
        Tool.Run("compile", "--config", Write(new string(' ', (1 << 20) + 1))).ShouldFail(1, "at most 1 MiB");
    }

    [Fact]
    public void A_file_says_all_that_a_command_line_says()
    {
        string config = Write($$"""
            { // comments are allowed
              "model": "{{Golden.Cnn}}", "output": "{{Output}}", "threads": 1,
              "weights": { "bits": "8:6", "scheme": "affine", "exclude": ["/fc/*"] },
              "activations": { "mode": "weight-only" },
            }
            """);
        Tool.Run("compile", "--config", config).ShouldSucceed();
        Tool.Run(
            "compile", Golden.Cnn, "-o", _folder["by.onnx"], "--nest", "8:6", "--weights", "affine", "--exclude", "/fc/*", "--activations",
            "weight-only").ShouldSucceed();
        Assert.Equal(File.ReadAllBytes(_folder["by.high.bin"]), File.ReadAllBytes(_folder["out.high.bin"]));
        Tool.Run("diff", Output, _folder["by.onnx"]).ShouldSucceed();
    }

    [Fact]
    public void None_is_weight_only()
    {
        foreach (string name in (string[])["none", "weight-only"])
            Tool.Run("compile", Golden.Cnn, "-o", _folder[$"{name}.onnx"], "--nest", "8:6", "--activations", name).ShouldSucceed();
        Tool.Run("diff", _folder["none.onnx"], _folder["weight-only.onnx"]).ShouldSucceed();
    }

    [Fact]
    public void The_command_line_overrides_the_file()
    {
        string config = Write("{ \"weights\": { \"bits\": \"8:6\", \"exclude\": [\"/fc/*\"] }, \"check\": false }");
        ToolRun run = Tool.Run(
            "compile", Golden.Cnn, "-o", Output, "--config", config, "--nest", "8:4",
            "--exclude", "/conv1/*", "--print-config").ShouldSucceed();
        Config effective = ConfigReader.Parse("printed", Encoding.UTF8.GetBytes(run.Out));
        Assert.Equal(["8:4"], effective.Values["weights.bits"]);
        Assert.Equal(["/conv1/*"], effective.Values["weights.exclude"]);
        Assert.Equal(["false"], effective.Values["check"]);
        Assert.Equal(["dynamic"], effective.Values["activations.mode"]);
        Assert.False(File.Exists(Output));
    }

    [Fact]
    public void What_is_printed_is_read_back_and_printed_the_same()
    {
        string config = Write("{ \"weights\": { \"rules\": [{ \"name\": \"/conv1/*\", \"bits\": \"6:4\", \"exclude\": false }] } }");
        string[] line =
        [
            "compile", Golden.Cnn, "-o", Output, "--nest", "8:6", "--rounding", "floor", "--weights", "affine", "--activations", "static",
            "--calibrate", "images", "--calibration", "percentile:99.9", "--size", "8x8", "--mean", "0.5,0.25", "--no-check",
            "--allow-links",
            "--threads", "2", "--include", "a", "--exclude", "b", "--exclude", "c", "--groupnl", "expand:r=2", "--groupnl-budget", "0.5",
            "--report", "r.html",
        ];
        string printed = Tool.Run([.. line, "--config", config, "--print-config"]).ShouldSucceed().Out;
        string again = Tool.Run("compile", "--config", Write(printed), "--print-config").ShouldSucceed().Out;
        Assert.Equal(printed, again);
        Assert.Contains("\"splitRounding\": \"floor\"", printed, StringComparison.Ordinal);
        Assert.Contains("\"mean\": [\n      0.5,\n      0.25\n    ]", printed, StringComparison.Ordinal);
    }

    [Fact]
    public void Rounding_for_data_is_printed_with_all_that_decides_it()
    {
        string[] line =
        [
            "compile", Golden.Cnn, "-o", Output, "--nest", "8:3", "--synthetic", "image", "--calibration-samples", "32", "--weight-range",
            "calibrated", "--budget-bytes", "5000", "--budget-db", "12.5",
        ];
        string printed = Tool.Run([.. line, "--print-config"]).ShouldSucceed().Out;
        Assert.Equal(printed, Tool.Run("compile", "--config", Write(printed), "--print-config").ShouldSucceed().Out);
        foreach (string entry in (string[])[
            "\"splitRounding\": \"calibrated\"", "\"range\": \"calibrated\"", "\"budgetBytes\": 5000", "\"budgetDb\": 12.5",
            "\"synthetic\": \"image\"", "\"samples\": 32"])
            Assert.Contains(entry, printed, StringComparison.Ordinal);
    }

    [Fact]
    public void Rules_are_in_the_report_of_every_node()
    {
        string config = Write(
            "{ \"weights\": { \"rules\": [{ \"name\": \"/conv1/*\", \"bits\": \"8:4\" }, "
                + "{ \"operator\": \"Gemm\", \"weightOnly\": true }] } }");
        ToolRun run = Tool.Run("compile", Golden.Cnn, "-o", Output, "--nest", "8:6", "--config", config).ShouldSucceed();
        Assert.Matches(@"/conv1/Conv +Conv +nested 8:4", run.Out);
        Assert.Matches(@"/conv2/Conv +Conv +nested 8:6", run.Out);
        Assert.Contains("a rule says so", run.Out, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{ \"name\": \"/cnov1/Conv\", \"bits\": \"8:4\" }", 1, "near it: '/conv1/Conv'")]
    [
        InlineData(
            "{ \"name\": \"/conv1/*\", \"bits\": \"8:4\" }, { \"name\": \"*/Conv\", \"bits\": \"8:5\" }",
            1,
            "two rules contradict each other")
    ]
    public void Rules_that_do_not_fit_the_model_are_one_line(string rules, int code, string message)
    {
        string config = Write($$"""{ "weights": { "rules": [{{rules}}] } }""");
        Tool.Run("compile", Golden.Cnn, "-o", Output, "--nest", "8:6", "--config", config).ShouldFail(code, message);
        Assert.False(File.Exists(Output));
    }

    [Fact]
    public void Rules_without_any_bits_are_wrong_usage() => Tool.Run(
        "compile", Golden.Cnn, "-o", Output, "--config", Write("{ \"weights\": { \"rules\": [{ \"name\": \"a\", \"exclude\": true }] } }"))
        .ShouldFail(2, "neither Bits nor a rule gives bit widths");

    [Fact]
    public void The_file_is_not_replaced()
    {
        string config = Write("{}");
        Tool.Run("compile", Golden.Cnn, "-o", Output, "--config", config, "--report", config).ShouldFail(1, "c.json");
        Assert.Equal("{}", File.ReadAllText(config));
    }

    public void Dispose() => _folder.Dispose();

    private static Task<JsonSchema> Schema() => JsonSchema.FromJsonAsync(ConfigSchema.Write());

    private string Write(string text)
    {
        File.WriteAllText(_folder["c.json"], text);
        return _folder["c.json"];
    }
}
