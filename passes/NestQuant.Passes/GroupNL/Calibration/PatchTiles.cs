using NestQuant.Passes.GroupNL.Recognition;

namespace NestQuant.Passes.GroupNL.Calibration;

/// <summary>
/// Writes the samples of a regression: for every output position of a consumer, the inputs under its kernel (im2col) and its outputs.
/// </summary>
internal sealed class PatchTiles(LinearConsumer consumer)
{
    private readonly int[] _images = new int[NormalEquations.TileSamples];
    private readonly int[] _rows = new int[NormalEquations.TileSamples];
    private readonly int[] _columns = new int[NormalEquations.TileSamples];

    /// <summary>Adds all positions of a batch.</summary>
    /// <param name="inputs">The consumer's inputs, [N, C, H, W] or [N, C].</param>
    /// <param name="inputShape">Their shape.</param>
    /// <param name="outputs">The outputs to fit, [N, M, OH, OW] or [N, M].</param>
    /// <param name="outputShape">Their shape.</param>
    /// <param name="equations">Where the samples go.</param>
    public void Add(
        ReadOnlySpan<float> inputs,
        ReadOnlySpan<long> inputShape,
        ReadOnlySpan<float> outputs,
        ReadOnlySpan<long> outputShape,
        NormalEquations equations)
    {
        var from = Extents.Of(inputShape);
        var to = Extents.Of(outputShape);
        int pixels = to.Height * to.Width, positions = to.Images * pixels;
        for (int first = 0; first < positions; first += NormalEquations.TileSamples)
        {
            int samples = Math.Min(NormalEquations.TileSamples, positions - first);
            for (int i = 0; i < samples; i++)
            {
                int pixel = (first + i) % pixels;
                _images[i] = (first + i) / pixels;
                _rows[i] = (pixel / to.Width * consumer.Strides.Y) - consumer.Top;
                _columns[i] = (pixel % to.Width * consumer.Strides.X) - consumer.Left;
            }

            AddInputs(inputs, from, samples, equations);
            for (int m = 0; m < consumer.Outputs; m++)
            {
                Span<double> row = equations.OutputRow(m);
                for (int i = 0; i < samples; i++)
                    row[i] = outputs[(((_images[i] * consumer.Outputs) + m) * pixels) + ((first + i) % pixels)];
            }

            equations.Add(samples);
        }
    }

    private void AddInputs(ReadOnlySpan<float> inputs, Extents from, int samples, NormalEquations equations)
    {
        int feature = 0, pixels = from.Height * from.Width;
        for (int channel = 0; channel < consumer.Inputs; channel++)
        {
            for (int tapY = 0; tapY < consumer.Kernel.Y; tapY++)
            {
                for (int tapX = 0; tapX < consumer.Kernel.X; tapX++, feature++)
                {
                    Span<double> row = equations.FeatureRow(feature);
                    int down = tapY * consumer.Dilations.Y, right = tapX * consumer.Dilations.X;
                    for (int i = 0; i < samples; i++)
                    {
                        int y = _rows[i] + down, x = _columns[i] + right;
                        bool inside = (uint)y < (uint)from.Height && (uint)x < (uint)from.Width;
                        row[i] = inside ? inputs[(((_images[i] * consumer.Inputs) + channel) * pixels) + (y * from.Width) + x] : 0;
                    }
                }
            }
        }
    }

    /// <summary>Extents of maps; 1 by 1 for the rows of a matrix.</summary>
    private readonly record struct Extents(int Images, int Height, int Width)
    {
        public static Extents Of(ReadOnlySpan<long> shape) =>
            shape.Length == TracedMaps.Rank ? new Extents((int)shape[0], (int)shape[2], (int)shape[3]) : new Extents((int)shape[0], 1, 1);
    }
}
