using System.Diagnostics;
using Microsoft.ML.OnnxRuntime;
using NestQuant.Data;
using NestQuant.Onnx;
using NestQuant.Onnx.Files;
using NestQuant.Passes.Nesting;
using NestQuant.Passes.Sessions;
using NestQuant.RuntimeOps;

namespace NestQuant.Evaluation;

/// <summary>A model in ONNX Runtime with the nested operators registered, fed and read as arrays.</summary>
public sealed class ModelSession : IDisposable
{
    private readonly InferenceSession _session;
    private readonly RunOptions _runOptions = new() { LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL };

    private ModelSession(string path, InferenceSession session, NestedPrecisions? precisions, TimeSpan loadTime)
    {
        Path = path;
        _session = session;
        Precisions = precisions;
        LoadTime = loadTime;
        Inputs = SessionInputs.Of(session);
    }

    /// <summary>Where the model lies.</summary>
    public string Path { get; }

    /// <summary>Precisions that the model can run at; null when it has no nested weights.</summary>
    public NestedPrecisions? Precisions { get; }

    /// <summary>What ONNX Runtime took to make the session.</summary>
    public TimeSpan LoadTime { get; }

    /// <summary>Inputs that must be fed, in the model's order.</summary>
    public IReadOnlyList<ModelInput> Inputs { get; }

    /// <summary>Names of the outputs, in the model's order.</summary>
    public IReadOnlyList<string> Outputs => _session.OutputNames;

    /// <summary>Loads a model.</summary>
    /// <param name="path">ONNX file.</param>
    /// <param name="threads">Threads inside an operator; null for ONNX Runtime's default.</param>
    /// <param name="load">What is allowed of its external data.</param>
    /// <param name="config">Entries of the session's configuration.</param>
    /// <exception cref="ModelException">The file is not a model.</exception>
    /// <exception cref="OnnxRuntimeException">ONNX Runtime refuses the model.</exception>
    public static ModelSession Open(string path, int? threads, LoadOptions load, params IEnumerable<(string Key, string Value)> config) =>
        // Our own loader first: its messages say more about damaged files than a failed session does.
        Open(path, threads, NestedPrecisions.Of(ModelFile.Load(path, load)), config);

    /// <summary>Loads a model whose precisions are known, without reading the file a second time.</summary>
    /// <param name="path">ONNX file.</param>
    /// <param name="threads">Threads inside an operator; null for ONNX Runtime's default.</param>
    /// <param name="precisions">The model's precisions; null when it has no nested weights.</param>
    /// <param name="config">Entries of the session's configuration.</param>
    /// <exception cref="OnnxRuntimeException">ONNX Runtime refuses the model.</exception>
    public static ModelSession Open(
        string path, int? threads, NestedPrecisions? precisions, params IEnumerable<(string Key, string Value)> config) =>
        Open(path, threads, precisions, null, config);

    /// <summary>As <see cref="Open(string, int?, NestedPrecisions?, IEnumerable{ValueTuple{string, string}})"/>.</summary>
    /// <param name="path">ONNX file.</param>
    /// <param name="threads">Threads inside an operator; null for ONNX Runtime's default.</param>
    /// <param name="precisions">The model's precisions; null when it has no nested weights.</param>
    /// <param name="profile">Where ONNX Runtime's profile of the nodes goes, a prefix of its path; null for no profile.</param>
    /// <param name="config">Entries of the session's configuration.</param>
    internal static ModelSession Open(
        string path, int? threads, NestedPrecisions? precisions, string? profile, IEnumerable<(string Key, string Value)> config)
    {
        using SessionOptions options = CreateOptions();
        if (profile is not null)
        {
            // In this order: profiling starts with the prefix that is set then.
            options.ProfileOutputPathPrefix = profile;
            options.EnableProfiling = true;
        }

        foreach ((string key, string value) in config)
            options.AddSessionConfigEntry(key, value);
        if (threads is { } count)
        {
            options.IntraOpNumThreads = count;
            options.AddSessionConfigEntry(NestQuantOps.ThreadsConfigEntry, FormattableString.Invariant($"{count}"));
        }

        long begin = Stopwatch.GetTimestamp();
        var session = new InferenceSession(path, options);
        return new ModelSession(path, session, precisions, Stopwatch.GetElapsedTime(begin));
    }

    /// <summary>Whether an output is a tensor of numbers.</summary>
    internal bool IsArray(string output) =>
        _session.OutputMetadata[output] is { IsTensor: true } tensor
        && NpyTypes.TryFromOnnx((TensorDataType)(int)tensor.ElementDataType, out _);

    /// <summary>The extents of an output that is a tensor, -1 where the model does not fix them; empty when nothing is known.</summary>
    internal IReadOnlyList<long> DeclaredShape(string output) =>
        [.. _session.OutputMetadata[output].Dimensions.Select(static extent => (long)extent)];

    /// <summary>Runs the model once.</summary>
    /// <param name="inputs">One array per input: by name, or in the model's order when unnamed.</param>
    /// <param name="bits">Precision for this run; null for the model's default.</param>
    /// <param name="outputs">Names of the outputs to return, in this order; null for all.</param>
    /// <exception cref="ModelException">The arrays do not fit the inputs, or the precision is not one of the model's.</exception>
    /// <exception cref="OnnxRuntimeException">The run failed.</exception>
    public IReadOnlyList<NamedArray> Run(IReadOnlyList<NamedArray> inputs, int? bits, IReadOnlyList<string>? outputs = null)
    {
        outputs ??= Outputs;
        using PreparedRun run = Prepare(inputs, bits, outputs);
        using IDisposableReadOnlyCollection<OrtValue> results = run.Run();
        return [.. results.Select((value, i) => new NamedArray(outputs[i], TensorValue.ToArray(value, outputs[i])))];
    }

    /// <summary>Hands the inputs of a run to ONNX Runtime; for the parameters see <see cref="Run"/>.</summary>
    /// <exception cref="ModelException">The arrays do not fit the inputs, or the precision is not one of the model's.</exception>
    public PreparedRun Prepare(IReadOnlyList<NamedArray> inputs, int? bits, IReadOnlyList<string>? outputs = null)
    {
        var names = new List<string>();
        var values = new List<OrtValue>();
        try
        {
            foreach (ModelInput input in Inputs)
            {
                names.Add(input.Name);
                values.Add(input.Fit(ModelInput.Find(Inputs, input, inputs)).ToOrtValue());
            }

            if (bits is { } width)
            {
                NestedPrecisions.Check(Path, Precisions, width);
                names.Add(PrecisionInput.Name);
                values.Add(NpyArray.From<int>(NpyType.Int32, [], [width]).ToOrtValue());
            }
        }
        catch (ModelException)
        {
            values.ForEach(value => value.Dispose());
            throw;
        }

        return new PreparedRun(_session, _runOptions, names, values, outputs ?? Outputs);
    }

    /// <summary>Options with the nested operators registered; the first call loads ONNX Runtime.</summary>
    public static SessionOptions CreateOptions()
    {
        // Failures reach the caller as exceptions; ONNX Runtime's own log would repeat them on stderr.
        var environment = new EnvironmentCreationOptions { logId = "nestquant", logLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL };
        if (!OrtEnv.IsCreated)
            OrtEnv.CreateInstanceWithOptions(ref environment);
        var options = new SessionOptions { LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL };
        options.RegisterNestQuantOps();
        return options;
    }

    /// <summary>Ends profiling and returns the path of the profile, which is JSON.</summary>
    internal string EndProfiling() => _session.EndProfiling();

    /// <inheritdoc/>
    public void Dispose()
    {
        _runOptions.Dispose();
        _session.Dispose();
    }
}
