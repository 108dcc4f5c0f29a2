using NestQuant.RuntimeOps.Kernels;
using NestQuant.RuntimeOps.Kernels.Convolutions;
using NestQuant.RuntimeOps.Kernels.Execution;
using NestQuant.RuntimeOps.Schema;

namespace NestQuant.RuntimeOps.Interop;

/// <summary>One run of a kernel: its inputs, its output, ONNX Runtime's thread pool and its log.</summary>
internal readonly unsafe ref struct KernelContext(OrtApi api, void* context, ParallelLoop loop, string title)
{
    private readonly OrtApi _api = api;
    private readonly void* _context = context;

    /// <summary>ONNX Runtime's thread pool for this run.</summary>
    public ParallelLoop Loop { get; } = loop;

    /// <summary>
    /// Tells which implementation a run has chosen: in ONNX Runtime's log, at its most detailed level, and to <see
    /// cref="PlanObserver"/>.
    /// </summary>
    /// <param name="plan">The plan, where the run has made one; else null.</param>
    public void Tell(PlanNote? plan)
    {
        if (plan is null)
            return;
        PlanObserver.Notify(title, plan);
        _api.LogVerbose(_context, $"{title}: {plan.Tier.Name} {plan.Implementation}, {plan.Geometry}, {plan.Level} bits");
    }

    /// <summary>A required input.</summary>
    /// <exception cref="OperatorException">It has no value, or one that is not a tensor (ONNX Runtime lets a required input go
    /// unfed).</exception>
    public TensorView Input(InputSchema input) =>
        TryInput(input, out TensorView tensor) ? tensor : throw new OperatorException($"input '{input.Name}' has no value");

    /// <summary>An optional input; false when it is absent.</summary>
    public bool TryInput(InputSchema input, out TensorView tensor)
    {
        tensor = default;
        if (input.Position >= _api.InputCount(_context))
            return false;
        void* value = _api.Input(_context, input.Position);
        if (value == null)
            return false;
        if (!_api.IsTensor(value))
            throw new OperatorException($"input '{input.Name}' has no value, or one that is not a tensor");
        ReadOnlySpan<long> shape = _api.TensorShape(value, out ElementType type);
        tensor = new TensorView(input.Name, type, shape, _api.TensorData(value));
        return true;
    }

    /// <summary>Allocates the output, whose elements are of the operator's <see cref="OperatorSchema.Output"/> type.</summary>
    public void* Output(ReadOnlySpan<long> shape) => _api.TensorData(_api.Output(_context, 0, shape));

    /// <summary>Allocates the output of an operator whose output is float.</summary>
    public float* FloatOutput(ReadOnlySpan<long> shape) => (float*)Output(shape);
}
