using NestQuant.Compiler.Calibration;
using NestQuant.Compiler.Pipeline;
using NestQuant.Data;
using NestQuant.Onnx;
using NestQuant.Passes.Sampling;

namespace NestQuant.Passes.Calibration;

/// <summary>
/// Ranges without data, by the rule of NestQuant's released code: alpha = 25 sigma for 8 bits, where sigma is the standard deviation of an
/// activation's positive values on uniform random images. The range is [0, alpha] where the activation was never negative, else [-alpha /
/// 1.25, alpha / 1.25]. A fall-back: real data gives better ranges.
/// </summary>
/// <remarks>
/// An input of the model is assumed to take negative values, since random images say nothing about real ones. An activation without
/// positive values, or whose positive values are all equal, gets the range that was observed.
/// </remarks>
public sealed class DataFreeRanges : IActivationRangeSource
{
    private const double Spread = 25, SignedShare = 1.25;
    private const int Images = 8, Seed = 0;

    /// <summary>Most bytes of random images, 128 MiB: a model may declare any shape.</summary>
    private const long MostElements = 1 << 25;

    private static readonly UniformRange Pixels = new(0, 1);

    /// <summary>Paths of libraries with operators that the model uses, beside those of ONNX Runtime and of this project.</summary>
    public IReadOnlyList<string> CustomOps { get; init; } = [];

    /// <inheritdoc/>
    /// <exception cref="ModelException">The model's inputs are not images of known size.</exception>
    public ActivationRanges RangesOf(ModelContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        using ActivationCapture capture = ActivationSweep.Capture(context.Model, CustomOps);
        var moments = capture.FloatInputs.Concat(capture.Outputs)
            .ToDictionary(static name => name, static _ => new Moments(), StringComparer.Ordinal);
        foreach (string input in capture.FloatInputs) moments[input].Signed = true;
        var random = new SeededUniform(Seed);
        int size = capture.FixedBatch ?? 1;
        for (int image = 0; image < Images; image += size)
        {
            context.Cancellation.ThrowIfCancellationRequested();
            NamedArray[] inputs = [.. capture.Inputs.Select(input => new NamedArray(input.Name, RandomImages(input, random)))];
            capture.Run(
                new CalibrationBatch("random images", image, new DatasetBatch(inputs, Labels: null)),
                (name, value) => moments[name].Add(value.GetTensorDataAsSpan<float>()));
            context.Progress?.Report(new PassProgress(ActivationSweep.Name, Math.Min(image + size, Images), Images));
        }

        return new ActivationRanges(
            moments.Where(static pair => pair.Value.IsFinite)
                .ToDictionary(static pair => pair.Key, static pair => pair.Value.Range, StringComparer.Ordinal));
    }

    /// <inheritdoc/>
    public override string ToString() => "the data-free rule";

    private static NpyArray RandomImages(ModelInput input, SeededUniform random)
    {
        long[] shape = [.. input.Shape];
        if (shape is [< 0, ..]) shape[0] = 1;
        if (input.Type != NpyType.Float32 || Array.Exists(shape, static extent => extent < 1))
            throw new ModelException(
                $"input '{input.Name}' is not a float tensor of known size, so no random images can be made for it: calibrate with "
                    + "data");
        long count = shape.Aggregate(1L, static (product, extent) => extent > MostElements / product ? MostElements + 1 : product * extent);
        if (count > MostElements)
        {
            throw new ModelException(
                $"input '{input.Name}' of shape [{string.Join(", ", shape)}] is too large for random images: calibrate with data");
        }

        return NpyArray.FromFloats(shape, random.Next((int)count, Pixels));
    }

    /// <summary>Sums over the values of one activation.</summary>
    private sealed class Moments
    {
        private float _min = float.PositiveInfinity, _max = float.NegativeInfinity;
        private long _positive;
        private double _sum, _squares;

        /// <summary>Whether negative values are to be expected even if none were observed.</summary>
        public bool Signed { get; set; }

        /// <summary>Whether there were values and all were finite.</summary>
        public bool IsFinite => float.IsFinite(_min) && float.IsFinite(_max) && double.IsFinite(_squares);

        public TensorRange Range
        {
            get
            {
                double mean = _sum / Math.Max(_positive, 1), variance = Math.Max((_squares / Math.Max(_positive, 1)) - (mean * mean), 0);
                float alpha = (float)(Spread * Math.Sqrt(variance));
                if (alpha == 0) return new TensorRange(_min, _max);
                return Signed || _min < 0
                    ? new TensorRange((float)(-alpha / SignedShare), (float)(alpha / SignedShare))
                    : new TensorRange(0, alpha);
            }
        }

        public void Add(ReadOnlySpan<float> values)
        {
            foreach (float value in values)
            {
                (_min, _max) = (Math.Min(_min, value), Math.Max(_max, value));
                if (value <= 0) continue;
                _positive++;
                _sum += value;
                _squares += (double)value * value;
            }
        }
    }
}
