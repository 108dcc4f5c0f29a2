using NestQuant.RuntimeOps.Interop;
using NestQuant.RuntimeOps.Kernels;
using NestQuant.RuntimeOps.Kernels.Convolutions;
using NestQuant.RuntimeOps.Kernels.Tiers;
using NestQuant.RuntimeOps.Packing;
using NestQuant.RuntimeOps.Paging;
using NestQuant.RuntimeOps.Schema;

namespace NestQuant.RuntimeOps.Operators;

/// <summary>
/// A node's nested weight, the inputs W_high, W_low and those of further steps and <c>bits</c>, and what belongs to it: the factors of its
/// channels and its convolution.
/// </summary>
internal sealed unsafe class NestedWeight
{
    // By step, the high operand first.
    private readonly InputSchema[] _operands;
    private readonly nint[] _constants;
    private readonly LowOperandPager?[] _pagers;
    private readonly InputSchema _bits;
    private readonly PrecisionSelector _precision;
    private readonly PanelCache? _cache;
    private readonly LastPanels? _lastPanels;
    private readonly WeightTag _tag;
    private readonly WeightAccess _access;

    /// <summary>Reads what the node says about its weight.</summary>
    /// <param name="info">The node.</param>
    /// <param name="view">The weight's dimensions.</param>
    /// <param name="access">How much of the weight a run reads.</param>
    public NestedWeight(in KernelInfo info, ChannelView view, WeightAccess access = WeightAccess.Whole)
    {
        _access = access;
        Layout = WeightAttributes.Layout(info, view);
        _tag = WeightAttributes.Tag(info, Layout);
        _bits = info.Schema[InputNames.Bits];
        _precision = new PrecisionSelector(Layout.Bits, info.ConfigEntry(SessionEntries.Bits));
        Tier = TierSelection.Current;
        Threads = ThreadCount.Parse(info.ConfigEntry(SessionEntries.Threads));
        Convolution = new NestedConvolution(Tier, Threads, ImplementationTable.Forced);
        Factors = new FactorInputs(info, Layout);
        _operands = new InputSchema[Layout.Bits.Count];
        _constants = new nint[_operands.Length];
        _pagers = new LowOperandPager?[_operands.Length];
        for (int step = 0; step < _operands.Length; step++)
        {
            _operands[step] = info.Schema[step == 0 ? InputNames.WeightHigh : InputNames.WeightStep(step)];
            byte* constant = Constant(info, step);
            _constants[step] = (nint)constant;
            if (step > 0)
                _pagers[step] = new LowOperandPager((nint)constant, Layout.ByteLength(step), access == WeightAccess.Whole);
        }

        WeightCollector.Add(this);
        long cacheBytes = CacheSize.Parse(info.ConfigEntry(SessionEntries.Cache));
        _cache = cacheBytes > 0 && _constants[0] != 0 ? new PanelCache(cacheBytes) : null;
        _lastPanels = Layout.HasNarrowPanel ? new LastPanels(Layout) : null;
    }

    /// <summary>The layout of the operands.</summary>
    public NestedLayout Layout { get; }

    /// <summary>The inner loops; a tier that is forced and not supported fails here, when the session is made.</summary>
    public KernelTier Tier { get; }

    /// <summary>Threads of the session, 1 or more.</summary>
    public int Threads { get; }

    /// <summary>The factors of the output channels.</summary>
    public FactorInputs Factors { get; }

    /// <summary>The convolution with this weight.</summary>
    public NestedConvolution Convolution { get; }

    /// <summary>Bytes of prepared panels that are kept from run to run.</summary>
    public long CachedBytes => _cache?.Bytes ?? 0;

    /// <summary>The constant operands by step: address, or 0 for one that is absent or fed, and bytes.</summary>
    public IEnumerable<(int Step, nint Address, long Bytes)> Constants =>
        _constants.Select((address, step) => (step, address, Layout.ByteLength(step)));

    /// <summary>Releases and fetches low operands as a run at a precision does.</summary>
    /// <param name="precision">The precision, at least 1.</param>
    /// <returns>Bytes fetched, or released where negative.</returns>
    public long Page(int precision)
    {
        int steps = Layout.Bits.StepTo(Layout.Bits.LevelAt(precision));
        long moved = 0;
        for (int step = 1; step < _operands.Length; step++)
            moved += _pagers[step]?.Enter(step <= steps) ?? 0;
        return moved;
    }

    /// <summary>Binds the operands of one run.</summary>
    /// <param name="context">The run.</param>
    /// <returns>The operands of the run's level; it holds no pointer to those of the steps above it.</returns>
    /// <exception cref="OperatorException">An input is missing or has the wrong type, length or values.</exception>
    public PanelSource Bind(in KernelContext context)
    {
        // A level needs all steps up to it: what follows a missing one is of no use.
        Span<nint> addresses = stackalloc nint[NestedBits.MostLevels];
        int operands = 0;
        while (operands < _operands.Length && TryOperand(context, operands, out addresses[operands]))
            operands++;
        int level = _precision.LevelAt(*context.Input(_bits).Int32s(1), operands);
        LevelOperands weights = new(Layout.Bits, level, addresses);
        bool areConstant = true;
        for (int step = 0; step < _operands.Length; step++)
        {
            bool isNeeded = step <= weights.Steps;
            // Operands that a caller may feed could not be seen when the kernel was created.
            if (isNeeded && _constants[step] == 0)
                RequireTag(weights[step], step);
            areConstant &= !isNeeded || _constants[step] != 0;
            _pagers[step]?.Enter(isNeeded);
        }

        return areConstant
            ? new PanelSource(Layout, weights, _cache, areConstant: true, _lastPanels)
            : new PanelSource(Layout, weights);
    }

    /// <summary>An operand of a run; false where a low one is missing.</summary>
    private bool TryOperand(in KernelContext context, int step, out nint address)
    {
        address = _constants[step];
        if (address != 0)
            return true;
        if (step == 0)
            address = (nint)context.Input(_operands[0]).Bytes(Layout.HighByteLength);
        else if (context.TryInput(_operands[step], out TensorView low))
            address = (nint)low.Bytes(Layout.ByteLength(step));
        return address != 0;
    }

    /// <summary>The operand, checked, when it is constant, or null.</summary>
    private byte* Constant(in KernelInfo info, int step)
    {
        if (!info.TryConstantInput(_operands[step], out TensorView tensor))
            return null;
        long length = Layout.ByteLength(step);
        byte* operand = tensor.Bytes(length);
        // The trailer is all that is needed now, and of a low operand it may be all that is ever needed.
        if (OperatingSystem.IsLinux())
            PageAdvice.ReadSinglePages((nint)operand, length);
        RequireTag(operand, step);
        if (OperatingSystem.IsLinux() && _access == WeightAccess.Whole)
            PageAdvice.ReadAhead((nint)operand, length);
        return operand;
    }

    private void RequireTag(byte* operand, int step)
    {
        if (!Layout.HasTrailer)
            return;
        // In bounds: the operand has been found to have the layout's length, whose last bytes are the trailer.
        ReadOnlySpan<byte> trailer = new(operand + Layout.ByteLength(step) - OperandTrailer.Length, OperandTrailer.Length);
        if (OperandTrailer.Problem(trailer, Layout, step, _tag) is { } problem)
            throw new OperatorException($"input '{_operands[step].Name}' {problem}; {OperandTrailer.Advice}");
    }
}
