using Microsoft.ML.OnnxRuntime;
using NestQuant.RuntimeOps.Operators;
using NestQuant.RuntimeOps.Paging;

namespace NestQuant.RuntimeOps.Sessions;

/// <summary>One opened model file of a session: disposed when its owner and the last run have released it.</summary>
internal sealed class SessionModel
{
    // Runs only read it.
    private static readonly RunOptions s_defaults = new();

    private readonly Lazy<Operand[]> _operands;
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
        _operands = new Lazy<Operand[]>(FindOperands);
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
        return Session.Run(options ?? s_defaults, names, values, outputs);
    }

    /// <summary>Runs the model twice at each precision, since second runs take up what the first have set up.</summary>
    /// <param name="run">A run at a precision.</param>
    public void WarmUp(Func<int, IDisposable> run)
    {
        foreach (int precision in Precisions)
        {
            run(precision).Dispose();
            run(precision).Dispose();
        }
    }

    /// <summary>Releases and fetches low operands for a precision.</summary>
    /// <returns>Bytes fetched, or released where negative.</returns>
    public long Page(int bits) => _weights.Sum(weight => weight.Page(bits));

    /// <summary>What memory the weights take.</summary>
    public NestedMemory Memory()
    {
        using PageResidency pages = new();
        Operand[] high = [.. _operands.Value.Where(static operand => operand is { IsMapped: true, Step: 0 })];
        Operand[] low = [.. _operands.Value.Where(static operand => operand is { IsMapped: true, Step: > 0 })];
        return new NestedMemory
        {
            High = high.Sum(static operand => operand.Bytes),
            Low = low.Sum(static operand => operand.Bytes),
            ResidentHigh = Resident(high),
            ResidentLow = Resident(low),
            Unmapped = _operands.Value.Where(static operand => !operand.IsMapped).Sum(static operand => operand.Bytes),
            Cached = _weights.Sum(static weight => weight.CachedBytes),
        };

        long? Resident(Operand[] operands) =>
            operands.Aggregate((long?)0, (sum, operand) => sum + pages.ResidentBytes(operand.Address, operand.Bytes));
    }

    /// <summary>The constant operands, which stay where they are as long as the session does.</summary>
    private Operand[] FindOperands() =>
    [
        .. from weight in _weights
           from operand in weight.Constants
           where operand.Address != 0
           let isMapped = MemoryMaps.OwnPages(operand.Address, operand.Bytes).Bytes > 0
           select new Operand(operand.Step, operand.Address, operand.Bytes, isMapped),
    ];

    /// <summary>Whether all weights have the operands that they need at a precision.</summary>
    private bool Allow(int precision) => _weights.All(weight => weight.Layout.Bits.LevelAt(precision) <= Highest(weight));

    /// <summary>Bits of a weight's highest level before the first operand that is missing.</summary>
    private static int Highest(NestedWeight weight) =>
        weight.Constants.TakeWhile(static operand => operand.Address != 0)
            .Select(operand => weight.Layout.Bits.LevelOfStep(operand.Step)).LastOrDefault();

    private readonly record struct Operand(int Step, nint Address, long Bytes, bool IsMapped);
}
