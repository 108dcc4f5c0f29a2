using McMaster.Extensions.CommandLineUtils;
using NestQuant.Compiler.Cli.Configuration;
using NestQuant.Compiler.Cli.Output;
using NestQuant.Compiler.Cli.Rendering;
using NestQuant.Compiler.Cli.Terminal;
using NestQuant.Compiler.Reports;
using NestQuant.Onnx;
using NestQuant.Onnx.Files;
using NestQuant.Onnx.Files.Transactions;
using NestQuant.Passes;
using NestQuant.Passes.Folding;
using NestQuant.Passes.GroupNL.Expansion;
using NestQuant.Passes.Nesting;
using NestQuant.Passes.OperatorSets;
using NestQuant.RuntimeOps.Packing;

namespace NestQuant.Compiler.Cli.Commands;

/// <summary><c>nestquant compile MODEL -o OUT</c>: rewrites a model and says what was done with every candidate.</summary>
internal static class CompileCommand
{
    public static void Add(CommandLineApplication app, CliConsole console, CancellationToken cancellation) =>
        app.Command("compile", command =>
    {
        command.Description = "Compile a model: fold constants, fuse GroupNL blocks and, with --nest, nest its weights";
        command.ExtendedHelpText = """

            Writes OUT.onnx and, when weights are nested, beside it OUT.high.bin and
            OUT.low.bin (the packed weights) and OUT.part.onnx (the same model without the
            low file: part precision only). Either all files appear or none does.
            With more levels, such as --nest 8:6:4, there is a file OUT.low.B.bin for every
            level of B bits but the lowest, and OUT.part.B.onnx is the model for a device
            that has those up to B.

            Example:
              nestquant compile model.onnx -o out/model.onnx --nest 8:6 --exclude '/head/*' --report out/report.html

            --groupnl expand rewrites convolutions into GroupNL blocks (arXiv 2506.12335),
            which changes what the model computes: the result has to be trained. Its parts,
            all optional:
            expand:r=2,g=4,sparse,seed=0,form=standard,period=1:2,shift=1:5,function=sine. A
            convolution keeps 1/r of its filters, in g groups; form=fused writes one
            operator per block instead of standard ones; other functions are gaussian,
            multiquadric, inverse_quadratic, inverse_multiquadric and monomial (with
            power=3). With --calibrate DATA no training is needed: what reads an expanded
            convolution is refitted, by least squares on DATA, to yield what it did, and a
            convolution for which that fails is left as it was.

            With --nest and --calibrate, activations are static: quantized with ranges of
            the values that they take on DATA, a .npy or .npz file, a folder of
            test_data_set_*, a folder of pictures, or a .json file that "calibrate" or
            "merge-ranges" wrote. --activations static without --calibrate takes a rule that
            needs no data, and loses more accuracy. DATA, unless it is a .json file, also
            decides how weights are rounded below full precision, so that the layers'
            outputs change least: labels are not needed, and a few samples do.
            """;
        CommandArgument model = command.Argument("MODEL", "ONNX file to compile");
        CommandOption output = command.Option(
            "-o|--output <FILE>", "ONNX file to write; its folder is created when missing", CommandOptionType.SingleValue);
        var config = new ConfigOptions(command, model);
        var weights = new WeightArguments(command);
        CommandOption groupNL = command.Option(
            "--groupnl <KIND>",
            "fuse (default): every GroupNL block becomes one operator; off: blocks stay as they are; expand[:r=2,g=4,...]: "
                + "convolutions become GroupNL blocks, to be trained",
            CommandOptionType.SingleValue);
        CommandOption groupNLInclude = command.Option(
            "--groupnl-include <PATTERN>",
            "expand the Conv of matching names, in the place of the paper's choice; repeatable",
            CommandOptionType.MultipleValue);
        CommandOption groupNLExclude = command.Option(
            "--groupnl-exclude <PATTERN>", "do not expand the Conv of matching names; repeatable", CommandOptionType.MultipleValue);
        var calibration = new CalibrationOptions(command);
        CommandOption operatorSet = command.Option(
            "--opset <N>",
            $"version of ONNX's operator set to upgrade the model to, {OperatorSetUpgradePass.Oldest} to {OperatorSetUpgradePass.Newest}; "
                + $"default: {OperatorSetUpgradePass.Newest} where --nest or --groupnl expand meets one below "
                + $"{OperatorSetUpgradePass.Sufficient}",
            CommandOptionType.SingleValue);
        CommandOption keepOverridable = command.Option(
            "--keep-overridable",
            "leave initializers that are also inputs to callers where all are; by default they are constants then",
            CommandOptionType.NoValue);
        CommandOption constantInputs = command.Option(
            "--constant-inputs <PATTERN>",
            "initializers of matching names are constants although they are also inputs; repeatable",
            CommandOptionType.MultipleValue);
        CommandOption reports = command.Option(
            "--report <FILE>", "write the decisions as .json or .html; repeatable", CommandOptionType.MultipleValue);
        var links = new LinkOption(command);
        CommandOption threads = command.Option(
            "--threads <N>", "most threads to use; default: one per processor", CommandOptionType.SingleValue);
        CommandOption noCheck = ResultCheck.AddOption(command);
        command.OnExecute(() =>
        {
            IReadOnlyList<WeightRule> rules = config.Apply();
            GroupNLExpandOptions? expand = GroupNLArgument.ParseExpansion(groupNL, groupNLInclude, groupNLExclude);
            WeightOptions weightOptions = weights.Parse(rules);
            ActivationMode mode = weights.ParseActivations(calibration.DefaultActivations(weightOptions.Nests));
            bool checks = !noCheck.HasValue();
            CalibrationArguments arguments = calibration.Parse(weightOptions, mode, expands: expand is not null, checks);
            var request = new CompileRequest(
                model.Value ?? throw new UsageException("compile: MODEL is needed, the ONNX file to compile"),
                output.Text() ?? throw new UsageException("compile: --output is needed, the ONNX file to write"),
                [.. reports.Values.Select(report => report!)],
                new CompilerOptions
                {
                    Weights = weightOptions,
                    Activations = new ActivationOptions { Mode = mode },
                    GroupNL = new GroupNLOptions { Mode = GroupNLArgument.ParseMode(groupNL), Expansion = expand },
                    OperatorSet = operatorSet.IntegerBetween(OperatorSetUpgradePass.Oldest, OperatorSetUpgradePass.Newest),
                    KeepOverridable = keepOverridable.HasValue(),
                    ConstantInputs = [.. constantInputs.Values.Select(pattern => pattern!)],
                    Check = new CheckOptions { LoadResult = checks, CustomOps = arguments.CustomOps },
                    Threads = threads.PositiveInteger(),
                },
                arguments,
                links.Parse(),
                config.File);
            request.CheckReports();
            if (config.Prints)
            {
                weights.Set(weightOptions, mode, arguments.RoundsWeights);
                console.Out.Write(ConfigWriter.Write(config.Effective(rules)));
                return ExitCode.Done;
            }

            Run(request, console, cancellation);
            return ExitCode.Done;
        });
    });

    private static void Run(CompileRequest request, CliConsole console, CancellationToken cancellation)
    {
        request.CheckOutput();
        using var transaction = new FileTransaction();
        foreach (string input in request.Inputs)
            transaction.Reads.Add(input);
        // Before the work: what cannot be written must not cost a compilation.
        foreach (string path in request.ExpectedFiles)
            transaction.OpenFolder(Path.GetDirectoryName(Path.GetFullPath(path))!);
        ModelProto source = ModelFile.Load(request.Model, request.Load);
        transaction.Reads.AddData(source);
        foreach (string path in request.ExpectedFiles)
            transaction.Check(path);

        FoldingMemory.Limit(source);
        CompilerOptions options = request.Calibration.Apply(request.Options with { SourceSha256 = FileHash.Sha256(request.Model) }, source);
        request = request with { Options = options };
        CompileResult result = ProgressDisplay.Run(
            console, progress => NestQuantCompiler.CompileInPlace(source, options with { Progress = progress }, cancellation));

        SavedModels saved = SavedModels.Write(result, request.Output, transaction, cancellation);
        string? notChecked = new ResultCheck(options.Check).Run(saved.Staged, request.Model);
        var report = new CompileReport(
            Provenance.Version,
            request.Model,
            ModelFiles.Length(request.Model),
            options.SourceSha256,
            request.Describe(),
            result.Decisions,
            saved.Files)
        {
            FloatWeights = options.Weights.Nests ? result.FindFloatWeights() : null,
            Times = result.Times,
        };
        foreach (string path in request.Reports)
            transaction.WriteText(path, CompileRequest.IsHtml(path) ? ReportHtml.Write(report) : ReportJson.Write(report));
        cancellation.ThrowIfCancellationRequested();
        transaction.Commit();
        CompileTables.Write(console, report, nests: options.Weights.Nests);
        if (options.Activations.Ranges is { } ranges)
            console.Line($"activation ranges: {ranges}");
        if (notChecked is not null)
            console.Line($"{notChecked}");
    }
}
