using Microsoft.ML.OnnxRuntime;
using static System.FormattableString;

namespace NestQuant.RuntimeOps.Sessions;

/// <summary>
/// A compiled model in ONNX Runtime whose precision can be switched while it runs, and whose files can be replaced by those of the same
/// compile when more of them have arrived.
/// </summary>
/// <remarks>All members may be used by several threads at once. A run keeps the precision and the files that it started with.</remarks>
public sealed class NestedSession : IDisposable
{
    private readonly NestedSessionOptions _options;
    private readonly SessionMetrics _metrics;
    private readonly PolicyTimer? _policy;
    private readonly Lock _replacement = new();
    private readonly Lock _switch = new();
    private volatile SessionModel _model;
    private volatile int _bits;
    private volatile bool _isDisposed;

    private NestedSession(SessionModel model, NestedSessionOptions options)
    {
        _bits = options.Bits is { } bits ? model.Require(bits) : model.Precisions[0];
        _options = options;
        _model = model;
        _metrics = new SessionMetrics(Path.GetFileName(model.Path));
        // Before a policy may switch, and by runs of the session, which has code of its own.
        if (options.WarmUp is { } inputs)
        {
            model.WarmUp(precision => Run(inputs, bits: precision));
            model.Page(_bits);
            Run(inputs).Dispose();
        }

        _policy = options.Policy is { } policy ? new PolicyTimer(policy, this, options.PolicyInterval, options.Clock) : null;
    }

    /// <summary>Path of the model that runs now.</summary>
    public string ModelPath => Current.Path;

    /// <summary>Bits of the precisions that the model's files allow, descending.</summary>
    public IReadOnlyList<int> Precisions => Current.Precisions;

    /// <summary>Bits of the precision of runs that do not choose their own: one of <see cref="Precisions"/>.</summary>
    public int Bits => _bits;

    /// <summary>Names of the inputs that a run must feed, in the model's order.</summary>
    public IReadOnlyList<string> InputNames => Current.Session.InputNames;

    /// <summary>Names of the outputs, in the model's order.</summary>
    public IReadOnlyList<string> OutputNames => Current.Session.OutputNames;

    /// <summary>Element types and shapes of the inputs, by name.</summary>
    public IReadOnlyDictionary<string, NodeMetadata> InputMetadata => Current.Session.InputMetadata;

    /// <summary>Memory of the nested weights now.</summary>
    public NestedMemory Memory => Use(static model => model.Memory());

    private SessionModel Current
    {
        get
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            return _model;
        }
    }

    /// <summary>Opens a compiled model: <c>X.onnx</c>, or a part model, with the data files beside it.</summary>
    /// <param name="modelPath">Path of the <c>.onnx</c> file.</param>
    /// <param name="options">Options; null for the defaults.</param>
    /// <returns>The session.</returns>
    /// <exception cref="OnnxRuntimeException">ONNX Runtime refuses the model or the inputs of the options, or a data file is missing or
    /// too short.</exception>
    /// <exception cref="InvalidDataException">The model has no nested weights.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The options name a precision that the files do not allow.</exception>
    /// <exception cref="PlatformNotSupportedException">The ONNX Runtime in this process is too old.</exception>
    public static NestedSession Open(string modelPath, NestedSessionOptions? options = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(modelPath);
        options ??= new NestedSessionOptions();
        SessionModel model = SessionModel.Open(modelPath, options);
        try
        {
            return new NestedSession(model, options);
        }
        catch
        {
            model.Release();
            throw;
        }
    }

    /// <summary>Runs the model.</summary>
    /// <param name="inputs">Values of the inputs, by name; without <c>nest_bits</c>.</param>
    /// <param name="outputs">Names of the wanted outputs; null for all.</param>
    /// <param name="bits">Precision of this run alone: one of <see cref="Precisions"/>; null for <see cref="Bits"/>.</param>
    /// <param name="options">ONNX Runtime's options of the run; null for its defaults.</param>
    /// <returns>The outputs in the order of their names; the caller disposes them.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The files do not allow the precision.</exception>
    /// <exception cref="InvalidDataException">The run needs low bits of a file that has changed since it was opened.</exception>
    /// <exception cref="OnnxRuntimeException">ONNX Runtime refuses the inputs.</exception>
    /// <exception cref="ObjectDisposedException">The session has been disposed.</exception>
    public IDisposableReadOnlyCollection<OrtValue> Run(
        IReadOnlyDictionary<string, OrtValue> inputs, IReadOnlyCollection<string>? outputs = null, int? bits = null,
        RunOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(inputs);
        return Use(model =>
        {
            int precision = bits is { } own ? Rise(model, own) : model.Nearest(_bits);
            IDisposableReadOnlyCollection<OrtValue> results = model.Run(inputs, outputs ?? model.Session.OutputNames, precision, options);
            _metrics.Ran(precision);
            return results;
        });
    }

    /// <summary>As <see cref="Run"/>, on a thread of the pool.</summary>
    /// <param name="inputs">Values of the inputs, by name; without <c>nest_bits</c>. They must live until the run has ended.</param>
    /// <param name="outputs">Names of the wanted outputs; null for all.</param>
    /// <param name="bits">Precision of this run alone: one of <see cref="Precisions"/>; null for <see cref="Bits"/>.</param>
    /// <param name="cancellation">Ends the run between two nodes.</param>
    /// <returns>The outputs in the order of their names; the caller disposes them.</returns>
    /// <exception cref="OperationCanceledException">The run was cancelled.</exception>
    public Task<IDisposableReadOnlyCollection<OrtValue>> RunAsync(
        IReadOnlyDictionary<string, OrtValue> inputs, IReadOnlyCollection<string>? outputs = null, int? bits = null,
        CancellationToken cancellation = default)
    {
        return Task.Run(() => RunUntil(run => Run(inputs, outputs, bits, run), cancellation), cancellation);
    }

    /// <summary>
    /// Makes a precision that of all runs that start from now on and do not choose their own. On Linux the memory of low bits that it does
    /// not need is given back at once, and that of those it needs is fetched.
    /// </summary>
    /// <param name="bits">One of <see cref="Precisions"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException">The files do not allow the precision. Nothing has changed.</exception>
    /// <exception cref="InvalidDataException">A file has changed since it was opened: its low bits cannot be trusted. The session keeps
    /// serving at its precision.</exception>
    /// <exception cref="ObjectDisposedException">The session has been disposed.</exception>
    public void SwitchTo(int bits)
    {
        lock (_switch)
            Use(model =>
            {
                int before = _bits;
                if (Rise(model, bits) == before)
                    return 0;
                _bits = bits;
                _metrics.Switched(before, bits, model.Page(bits));
                return 0;
            });
    }

    /// <summary>
    /// Goes on with another model of the same compile, such as <c>X.onnx</c> when its low file has arrived beside <c>X.part.onnx</c>, or
    /// back. Runs in flight end with the files that they started with; no run fails or waits. The high bits are in memory once, since both
    /// models map the same file.
    /// </summary>
    /// <param name="modelPath">Path of the <c>.onnx</c> file. Data files that the session has not used before are compared with the
    /// hashes that the model has of them.</param>
    /// <exception cref="OnnxRuntimeException">ONNX Runtime refuses the model, or a data file is missing or too short. The session goes on
    /// as before, here and below.</exception>
    /// <exception cref="InvalidDataException">The model is not of the same compile, or a data file is not the one it was written
    /// with.</exception>
    /// <exception cref="IOException">A data file cannot be read.</exception>
    /// <exception cref="ObjectDisposedException">The session has been disposed.</exception>
    public void ReplaceModel(string modelPath)
    {
        ArgumentException.ThrowIfNullOrEmpty(modelPath);
        // Reading files takes a while, in which the precision may well be switched.
        lock (_replacement)
        {
            SessionModel before = Current;
            SessionModel after = SessionModel.Open(modelPath, _options);
            try
            {
                after.Files.RequireSuccessor(before.Files);
                if (_options.WarmUp is { } inputs)
                    after.WarmUp(precision => after.Run(inputs, after.Session.OutputNames, precision, options: null));
                lock (_switch)
                {
                    ObjectDisposedException.ThrowIf(_isDisposed, this);
                    _bits = after.Nearest(_bits);
                    if (_options.WarmUp is not null)
                        after.Page(_bits);
                    _model = after;
                }
            }
            catch
            {
                after.Release();
                throw;
            }

            before.Release();
        }
    }

    /// <summary>Ends the session when the runs in flight have ended; new runs fail at once.</summary>
    public void Dispose()
    {
        _policy?.Dispose();
        lock (_switch)
        {
            if (_isDisposed)
                return;
            _isDisposed = true;
            _model.Release();
        }
    }

    private static T RunUntil<T>(Func<RunOptions, T> work, CancellationToken cancellation)
    {
        using RunOptions run = new();
        using CancellationTokenRegistration end = cancellation.Register(() => run.Terminate = true);
        try
        {
            return work(run);
        }
        catch (OnnxRuntimeException error) when (cancellation.IsCancellationRequested)
        {
            throw new OperationCanceledException(error.Message, error, cancellation);
        }
    }

    /// <summary>A precision that the files allow and, where it needs more of them than the session's, still have.</summary>
    private int Rise(SessionModel model, int bits)
    {
        model.Require(bits);
        if (bits > _bits && model.Files.Change() is { } change)
            throw new InvalidDataException(Invariant(
                $"{change}, so the precision stays at {_bits} bits; bring the file back by a rename, and open the model again"));
        return bits;
    }

    private T Use<T>(Func<SessionModel, T> work)
    {
        SessionModel model = Current;
        // A model that is being replaced while this thread looks at it has a successor already.
        while (!model.TryAcquire())
            model = Current;
        try
        {
            return work(model);
        }
        finally
        {
            model.Release();
        }
    }
}
