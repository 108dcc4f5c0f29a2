using Microsoft.ML.OnnxRuntime;
using NestQuant.RuntimeOps.Operators;
using NestQuant.RuntimeOps.Paging;

namespace NestQuant.RuntimeOps.Sessions;

/// <summary>One opened model file of a session: disposed when its owner and the last run have released it.</summary>
internal sealed class SessionModel
{
    private readonly SessionLog _log;
    private readonly IReadOnlyList<NestedWeight> _weights;
    private readonly Dictionary<int, OrtValue> _bits;
    private int _users = 1;

    private SessionModel(string path, InferenceSession session, SessionLog log, DataFiles files, IReadOnlyList<NestedWeight> weights)
    {
        Path = path;
        Session = session;
        Files = files;
        _log = log;
        _weights = weights;
        Precisions = [.. weights.SelectMany(static weight => weight.Layout.Bits.Levels).Distinct().Where(Allow).OrderDescending()];
        _bits = Precisions.ToDictionary(static bits => bits, static bits => OrtValue.CreateTensorValueFromMemory((int[])[bits], []));
    }

    /// <summary>Where the model lies.</summary>
    public string Path { get; }

    /// <summary>ONNX Runtime's session.</summary>
    public InferenceSession Session { get; }

    /// <summary>The model's data files.</summary>
    public DataFiles Files { get; }

    /// <summary>Bits of the precisions that the model's files allow, descending.</summary>
    public IReadOnlyList<int> Precisions { get; }

    /// <summary>Opens a model.</summary>
    /// <exception cref="OnnxRuntimeException">ONNX Runtime refuses it.</exception>
    /// <exception cref="InvalidDataException">It has no nested weights.</exception>
    public static SessionModel Open(string path, NestedSessionOptions options)
    {
        using SessionOptions sessionOptions = new SessionOptions().RegisterNestQuantOps();
        options.Configure?.Invoke(sessionOptions);
        SessionLog log = new(options.Log);
        InferenceSession? session = null;
        DataFiles? files = null;
        try
        {
            log.Attach(sessionOptions);
            using WeightCollector collector = new();
            session = new InferenceSession(path, sessionOptions);
            files = DataFiles.Of(path, session.ModelMetadata.CustomMetadataMap);
            if (collector.Weights.Count == 0 || !session.OverridableInitializerMetadata.ContainsKey(NestQuantOps.BitsInput))
                throw new InvalidDataException(
                    $"'{path}' has no nested weights with an input '{NestQuantOps.BitsInput}': compile it with --nest, or use a session of"
                        + " ONNX Runtime's own");
            SessionModel model = new(path, session, log, files, collector.Weights);
            return model.Precisions.Count > 0
                ? model
                : throw new InvalidDataException($"'{path}' has weights that are inputs: a session needs them as constants");
        }
        catch
        {
            files?.Dispose();
            session?.Dispose();
            log.Dispose();
            throw;
        }
    }

    /// <summary>A precision, if the model's files allow it.</summary>
    /// <exception cref="ArgumentOutOfRangeException">They do not.</exception>
    public int Require(int bits) =>
        _bits.ContainsKey(bits)
            ? bits
            : throw new ArgumentOutOfRangeException(
                nameof(bits), bits, $"the precisions of '{Path}' are {string.Join(", ", Precisions)}");

    /// <summary>The highest precision that the files allow and that is not above a number of bits, or else the lowest.</summary>
    public int Nearest(int bits) => Precisions.FirstOrDefault(precision => precision <= bits, Precisions[^1]);

    /// <summary>Adds a user; false when the model is being disposed.</summary>
    public bool TryAcquire()
    {
        int users = Volatile.Read(ref _users);
        while (users > 0)
        {
            int seen = Interlocked.CompareExchange(ref _users, users + 1, users);
            if (seen == users)
                return true;
            users = seen;
        }

        return false;
    }

    /// <summary>Removes a user, the owner or one that <see cref="TryAcquire"/> added.</summary>
    public void Release()
    {
        if (Interlocked.Decrement(ref _users) > 0)
            return;
        foreach (OrtValue value in _bits.Values)
            value.Dispose();
        Session.Dispose();
        _log.Dispose();
        Files.Dispose();
    }

    /// <summary>Runs the model at a precision.</summary>
    public IDisposableReadOnlyCollection<OrtValue> Run(
        IReadOnlyDictionary<string, OrtValue> inputs, IReadOnlyCollection<string> outputs, int bits, RunOptions? options)
    {
        string[] names = [.. inputs.Keys, NestQuantOps.BitsInput];
        OrtValue[] values = [.. inputs.Values, _bits[bits]];
        if (options is not null)
            return Session.Run(options, names, values, outputs);
        using RunOptions defaults = new();
        return Session.Run(defaults, names, values, outputs);
    }

    /// <summary>Releases and fetches low operands for a precision.</summary>
    /// <returns>Bytes fetched, or released where negative.</returns>
    public long Page(int bits) => _weights.Sum(weight => weight.Page(bits));

    /// <summary>What memory the weights take.</summary>
    public NestedMemory Memory()
    {
        long[] mapped = new long[2];
        long?[] resident = [0, 0];
        long unmapped = 0;
        using PageResidency pages = new();
        foreach ((int step, nint address, long bytes) in _weights.SelectMany(static weight => weight.Constants))
        {
            if (address == 0)
                continue;
            if (MemoryMaps.OwnPages(address, bytes).Bytes == 0)
            {
                unmapped += bytes;
                continue;
            }

            int kind = Math.Min(step, 1);
            mapped[kind] += bytes;
            resident[kind] += pages.ResidentBytes(address, bytes);
        }

        return new NestedMemory
        {
            High = mapped[0],
            Low = mapped[1],
            ResidentHigh = resident[0],
            ResidentLow = resident[1],
            Unmapped = unmapped,
            Cached = _weights.Sum(static weight => weight.CachedBytes),
        };
    }

    /// <summary>Whether all weights have the operands that they need at a precision.</summary>
    private bool Allow(int precision) => _weights.All(weight => weight.Layout.Bits.LevelAt(precision) <= Highest(weight));

    /// <summary>Bits of a weight's highest level before the first operand that is missing.</summary>
    private static int Highest(NestedWeight weight) =>
        weight.Constants.TakeWhile(static operand => operand.Address != 0)
            .Select(operand => weight.Layout.Bits.LevelOfStep(operand.Step)).LastOrDefault();
}
