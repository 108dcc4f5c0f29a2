namespace NestQuant.Compiler.Cli.Tests;

public sealed class UsageTests
{
    public static TheoryData<string, string> WrongUsage => new()
    {
        { "", "a command is needed" },
        { "frobnicate", "frobnicate" },
        { "compile", "MODEL" },
        { "compile a.onnx", "--output" },
        { "compile a.onnx b.onnx -o c.onnx", "b.onnx" },
        { "compile a.onnx -o b.onnx --nest 9:4", "9:4" },
        { "compile a.onnx -o b.onnx --nest 8", "write n:h" },
        { "compile a.onnx -o b.onnx --nest 8:8", "8:8" },
        { "compile a.onnx -o b.onnx --nest 8:6 --rounding up", "adaptive, nearest, calibrated" },
        { "compile a.onnx -o b.onnx --nest 8:6 --weights signed", "symmetric, affine" },
        { "compile a.onnx -o b.onnx --nest 8:6 --activations fast", "weight-only, dynamic, static" },
        { "compile a.onnx -o b.onnx --nest 8:6 --threads 0", "positive integer" },
        { "compile a.onnx -o b.onnx --rounding nearest", "--nest" },
        { "compile a.onnx -o b.onnx --report r.pdf", ".json or .html" },
        { "compile a.onnx -o b.onnx --groupnl melt", "fuse, off and expand" },
        { "compile a.onnx -o b.onnx --groupnl expand:r=1", "'r=1': an integer of at least 2" },
        { "compile a.onnx -o b.onnx --groupnl expand:g=2,g=4", "'g' is given twice" },
        { "compile a.onnx -o b.onnx --groupnl expand:function=cosine", "'function=cosine': sine, gaussian, multiquadric" },
        { "compile a.onnx -o b.onnx --groupnl expand:power=3", "'power' is the exponent of function=monomial" },
        { "compile a.onnx -o b.onnx --groupnl expand:period=2:1", "'2:1' is not a range" },
        { "compile a.onnx -o b.onnx --calibrate d.npy", "give --nest N:H or --groupnl expand too" },
        {
            "compile a.onnx -o b.onnx --nest 8:6 --activations dynamic --calibrate r.json",
            "--activations dynamic with weights that are rounded without data needs no --calibrate"
        },
        {
            "compile a.onnx -o b.onnx --nest 8:6 --split-rounding nearest --activations dynamic --calibrate d.npy --activation-guard off",
            "--activations dynamic with weights that are rounded without data needs no --calibrate"
        },
        { "compile a.onnx -o b.onnx --nest 8:6 --rounding calibrated", "calibrated rounding needs inputs of the model" },
        {
            "compile a.onnx -o b.onnx --nest 8:6 --split-rounding calibrated --calibrate r.json",
            "calibrated rounding needs inputs of the model"
        },
        { "compile a.onnx -o b.onnx --nest 8:6 --weight-range calibrated", "--weight-range calibrated need inputs of the model" },
        { "compile a.onnx -o b.onnx --nest 8:4 --budget-bytes 9", "--budget-bytes, --budget-db and --weight-range calibrated need inputs" },
        { "compile a.onnx -o b.onnx --nest 8:4 --budget-db 9 --calibrate r.json", "need inputs of the model" },
        { "compile a.onnx -o b.onnx --nest 8:4 --budget-bytes 0 --calibrate d.npy", "--budget-bytes is '0': a positive integer" },
        { "compile a.onnx -o b.onnx --nest 8:4 --budget-db high --calibrate d.npy", "--budget-db is 'high': a number of dB is needed" },
        { "compile a.onnx -o b.onnx --nest 8:4:3 --budget-db 9 --calibrate d.npy", "a Budget chooses between two levels n:h" },
        {
            "compile a.onnx -o b.onnx --nest 8:4 --budget-db 9 --rounding calibrated --split-rounding nearest --calibrate d.npy",
            "a Budget chooses bits by calibrated errors: give no other SplitRounding"
        },
        { "compile a.onnx -o b.onnx --budget-db 9 --calibrate d.npy", "say how to nest: give --nest N:H too" },
        { "compile a.onnx -o b.onnx --nest 8:6 --synthetic noise", "--synthetic is 'noise': image is possible" },
        { "compile a.onnx -o b.onnx --nest 8:6 --synthetic image --calibrate d.npy", "in the place of --calibrate DATA: give one of them" },
        { "evaluate a.onnx --data d.npy --shape x=4", "--shape says which values are made in the place of data" },
        { "evaluate a.onnx --labels l.npy", "--labels and --corrupt need data" },
        { "bench a.onnx --shape sequence", "--shape is 'sequence': NAME=EXTENT is needed" },
        { "bench a.onnx --shape x=0", "NAME=EXTENT is needed" },
        { "bench a.onnx --shape x=2 --shape x=3", "--shape gives 'x' twice" },
        { "compile a.onnx -o b.onnx --synthetic image", "--synthetic serves calibrated rounding: give --nest N:H too" },
        { "compile a.onnx -o b.onnx --nest 8:6 --calibration-samples 9", "give --nest N:H and --calibrate DATA too" },
        { "compile a.onnx -o b.onnx --nest 8:6 --calibrate d.npy --calibration-samples 0", "positive integer" },
        { "compile a.onnx -o b.onnx --nest 8:6 --calibrate d.npy --ridge 1", "give --groupnl expand and --calibrate DATA too" },
        { "compile a.onnx -o b.onnx --nest 8:6 --groupnl expand --calibrate r.json", "stored ranges cannot refit an expansion" },
        { "compile a.onnx -o b.onnx --nest 8:6 --calibration mse", "give --nest N:H and --calibrate too" },
        {
            "compile a.onnx -o b.onnx --nest 8:6 --calibrate d.npy --calibration best",
            "'best' is not a calibration method: minmax, percentile[:P], entropy, mse"
                },
        { "compile a.onnx -o b.onnx --nest 8:6 --activation-guard 5", "--activation-guard measures quantized activations on data" },
        { "compile a.onnx -o b.onnx --nest 8:6 --activation-guard 5 --calibrate r.json", "DATA, which is no .json file" },
        {
            "compile a.onnx -o b.onnx --nest 8:6 --activation-guard 5 --calibrate d.npy --activations weight-only",
            "not --activations weight-only"
        },
        {
            "compile a.onnx -o b.onnx --nest 8:6 --activation-guard some --calibrate d.npy",
            "--activation-guard is 'some': a number of dB, or off, of at least 0 is needed"
        },
        { "compile a.onnx -o b.onnx --nest 8:6 --activation-guard -1 --calibrate d.npy", "--activation-guard is '-1'" },
        { "compile a.onnx -o b.onnx --nest 8:6 --calibrate d.npy --calibration percentile:101", "'101' is not a percentile" },
        { "compile a.onnx -o b.onnx --nest 8:6 --no-check --custom-ops a.so", "give --calibrate DATA too" },
        { "compile a.onnx -o b.onnx --nest 8:6 --calibrate r.json --no-check --custom-ops a.so", "give --calibrate DATA too" },
        { "compile a.onnx -o b.onnx --nest 8:6 --mean 0.5", "give --calibrate FOLDER or --synthetic image too" },
        { "calibrate a.onnx -o r.json", "--data" },
        { "calibrate a.onnx --data d.npy", "--output" },
        { "calibrate a.onnx --data d.npy -o r.json --groupnl expand", "fuse, off" },
        { "merge-ranges -o r.json", "FILE" },
        { "compile a.onnx -o b.onnx --groupnl expand --ridge 1", "give --groupnl expand and --calibrate DATA too" },
        { "compile a.onnx -o b.onnx --groupnl expand --calibrate d.npy --ridge=-1", "--ridge is '-1': a number of at least 0" },
        { "compile a.onnx -o b.onnx --groupnl expand --calibrate d.npy --groupnl-budget 0", "--groupnl-budget is '0': a positive number" },
        { "compile a.onnx -o b.onnx --groupnl-include a", "give --groupnl expand too" },
        { "benchmark a.onnx", "benchmark" },
        { "evaluate a.onnx --data d.npy --session-config nestquant.cache", "KEY=VALUE is needed" },
        { "inspect", "MODEL" },
        { "diff a.onnx", "B" },
        { "run a.onnx --input x.npy", "--output" },
        { "run a.onnx -o out --bits six", "positive integer" },
        { "evaluate a.onnx --data d.npy --bits 8,8", "distinct" },
        { "evaluate a.onnx --data d.npy --size 0", "HxW" },
        { "evaluate a.onnx --data d.npy --mean a", "numbers" },
    };

    [Theory]
    [MemberData(nameof(WrongUsage))]
    public void Wrong_usage_is_one_line_and_exit_code_2(string line, string message)
    {
        ToolRun run = Tool.Run(line.Split(' ', StringSplitOptions.RemoveEmptyEntries));
        run.ShouldFail(2, message);
        Assert.Empty(run.Out);
    }

    [Theory]
    [InlineData("--help")]
    [InlineData("-h")]
    [InlineData("compile --help")]
    [InlineData("calibrate --help")]
    [InlineData("merge-ranges --help")]
    [InlineData("inspect -h")]
    [InlineData("print --help")]
    [InlineData("diff --help")]
    [InlineData("run --help")]
    [InlineData("evaluate --help")]
    public void Help_goes_to_stdout(string line)
    {
        ToolRun run = Tool.Run(line.Split(' ')).ShouldSucceed();
        Assert.Contains("Usage: nestquant", run.Out, StringComparison.Ordinal);
        Assert.Empty(run.Error);
    }

    [Fact]
    public void Version_is_the_compilers()
    {
        Assert.Contains(Passes.Provenance.Version, Tool.Run("-v").ShouldSucceed().Out, StringComparison.Ordinal);
    }

    [Fact]
    public void A_process_of_its_own_behaves_the_same()
    {
        Tool.RunProcess("--version").ShouldSucceed();
        Tool.RunProcess("print", "missing.onnx").ShouldFail(1, "missing.onnx");
        Tool.RunProcess("print").ShouldFail(2, "MODEL");
    }
}
