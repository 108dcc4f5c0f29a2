using NestQuant.Onnx;
using NestQuant.Onnx.Graph;

namespace NestQuant.Passes.Nesting.Calibrated;

/// <summary>
/// Rounds the weights of a network to one precision, layer after layer: every layer is rounded for the inputs that it gets from the layers
/// before it at that precision, so that it makes up for their errors.
/// </summary>
/// <param name="model">The model that is being compiled; quantized activations are those of its QuantizeLinear nodes.</param>
/// <param name="samples">The calibration data.</param>
/// <param name="customOps">Paths of libraries with operators that the model uses.</param>
/// <param name="parallel">Degree of parallelism and cancellation. The result does not depend on it.</param>
/// <param name="memoryLimit">Most bytes of the values of a network that are kept in memory. The result does not depend on it.</param>
internal sealed class LevelCalibration(
    ModelProto model,
    CalibrationSamples samples,
    IReadOnlyList<string> customOps,
    ParallelOptions parallel,
    long memoryLimit = LevelCalibration.MemoryLimit)
{
    /// <summary>Most bytes of the values of a network that are kept in memory: more lie in temporary files.</summary>
    public const long MemoryLimit = 1L << 30;

    /// <summary>Finds the levels that a run at a precision uses, those that are not known yet.</summary>
    /// <param name="layers">The layers in graph order.</param>
    /// <param name="weights">All weights of the model, also those that no layer rounds; what they are rounded from is known.</param>
    /// <param name="precision">The precision.</param>
    /// <param name="done">Told after each layer.</param>
    /// <exception cref="ModelException">The data does not fit the model.</exception>
    public void Run(
        IReadOnlyList<CalibratedLayer> layers, IEnumerable<CalibratedWeight> weights, int precision, Action<CalibratedLayer> done)
    {
        using var inFloat = new LayeredNetwork(WithoutQuantization(), samples, customOps, memoryLimit, parallel);
        using var inPart = new LayeredNetwork(model, samples, customOps, memoryLimit, parallel);
        var names = new UniqueNames(model);
        foreach (CalibratedWeight weight in weights)
            if (weight.Has(weight.Bits.LevelAt(precision))) SetWeight(inPart, weight, weight.Bits.LevelAt(precision));
        foreach (CalibratedLayer layer in layers)
        {
            CalibratedWeight weight = layer.Weight;
            int level = weight.Bits.LevelAt(precision);
            if (!layer.IsKnown(level))
            {
                string input = layer.Node.Input[0];
                inFloat.Compute(input);
                inPart.Compute(input);
                layer.Positions = 0;
                Round(layer, level, LayerMoments.Collect(layer, inFloat, inPart, samples, parallel));
                SetWeight(inPart, weight, level);
            }

            if (layer.Biases.ContainsKey(level))
            {
                NodeProto[] nodes = layer.WithBias(level, names, out TensorProto bias);
                inPart.SetInitializer(bias);
                inPart.Replace(layer.Node, nodes);
            }

            done(layer);
        }
    }

    private void SetWeight(LayeredNetwork network, CalibratedWeight weight, int level)
    {
        // A subgraph's own weight stays float in the networks.
        if (model.MainGraph().Initializer.Find(tensor => tensor.Name == weight.Name) is not { } source) return;
        float[] values = ChannelMajor.To<float>(weight.Dequantized(level), weight.View);
        network.SetInitializer(TensorProto.FromFloats(weight.Name, [.. source.Dims], values));
    }

    /// <summary>The ranges of the layers' weights by <see cref="RangeSearch"/>, every layer with the inputs of the float model.</summary>
    /// <param name="layers">The layers in graph order.</param>
    /// <param name="done">Told after each layer.</param>
    /// <returns>For every layer the ranges of its output channels.</returns>
    /// <exception cref="ModelException">The data does not fit the model.</exception>
    public IReadOnlyList<ChannelRange[]> RangesOf(IReadOnlyList<CalibratedLayer> layers, Action<CalibratedLayer> done)
    {
        using var network = new LayeredNetwork(WithoutQuantization(), samples, customOps, memoryLimit, parallel);
        var ranges = new List<ChannelRange[]>();
        foreach (CalibratedLayer layer in layers)
        {
            network.Compute(layer.Node.Input[0]);
            InputMoments[] moments = LayerMoments.Collect(layer, network, network, samples, parallel);
            CalibratedWeight weight = layer.Weight;
            ranges.Add([
                .. moments.SelectMany((inputs, group) => RangeSearch.Choose(
                    inputs,
                    new RangeProblem
                    {
                        Weights = layer.OfGroup(weight.Values, group),
                        Units = Array.ConvertAll(layer.OfGroup(weight.Scales, group), static scale => (double)scale),
                        Zeros = Array.ConvertAll(layer.OfGroup(weight.ZeroPoints, group), static zero => (double)zero),
                        Bits = weight.Bits.Full,
                        CorrectsMean = layer.RoundsFull && layer.Bias is not null,
                        Levels = [.. weight.Bits.Levels.Skip(1)],
                    },
                    parallel)),
            ]);
            done(layer);
        }

        return ranges;
    }

    /// <summary>
    /// The relative squared output errors of layers at several numbers of bits, each with all other layers at full precision.
    /// </summary>
    /// <param name="layers">The layers in graph order, whose weights are known at full precision.</param>
    /// <param name="fewest">The fewest bits.</param>
    /// <param name="done">Told after each layer.</param>
    /// <returns>For every layer the errors from the fewest bits up to one less than full precision.</returns>
    /// <exception cref="ModelException">The data does not fit the model.</exception>
    public IReadOnlyList<double[]> ErrorsFrom(int fewest, IReadOnlyList<CalibratedLayer> layers, Action<CalibratedLayer> done)
    {
        using var inFloat = new LayeredNetwork(WithoutQuantization(), samples, customOps, memoryLimit, parallel);
        using var inPart = new LayeredNetwork(model, samples, customOps, memoryLimit, parallel);
        var errors = new List<double[]>();
        foreach (CalibratedLayer layer in layers)
        {
            int full = layer.Weight.Bits.Full;
            inFloat.Compute(layer.Node.Input[0]);
            inPart.Compute(layer.Node.Input[0]);
            InputMoments[] moments = LayerMoments.Collect(layer, inFloat, inPart, samples, parallel);
            errors.Add([
                .. Enumerable.Range(fewest, full - fewest)
                    .Select(bits => Rounded(layer, full, bits, moments).OutputError!.Value),
            ]);
            SetWeight(inPart, layer.Weight, full);
            done(layer);
        }

        return errors;
    }

    /// <summary>Rounds a layer's weight, unless another layer has, and finds the layer's bias.</summary>
    private void Round(CalibratedLayer layer, int level, InputMoments[] moments)
    {
        CalibratedWeight weight = layer.Weight;
        if (!weight.Has(level)) weight[level] = Rounded(layer, weight.Bits.Above(level), level, moments);
        if (layer.Bias is not { } bias) return;
        double[] values = Array.ConvertAll(weight.Dequantized(level), static value => (double)value);
        var corrected = new float[bias.Length];
        int length = layer.Rows.Length;
        for (int m = 0; m < bias.Length; m++)
        {
            double shift = moments[m / layer.Rows.ChannelsPerGroup].MeanShift(
                weight.Values.AsSpan(m * length, length), values.AsSpan(m * length, length), parallel);
            corrected[m] = (float)(bias[m] + (layer.Alpha * shift));
        }

        layer.Biases[level] = corrected;
    }

    /// <summary>Rounds a layer's weight.</summary>
    /// <param name="layer">The layer.</param>
    /// <param name="above">Bits of the level that it is rounded from; those of <paramref name="level"/> for full precision.</param>
    /// <param name="level">Bits that it gets.</param>
    /// <param name="moments">The moments of every group.</param>
    private WeightLevel Rounded(CalibratedLayer layer, int above, int level, InputMoments[] moments)
    {
        CalibratedWeight weight = layer.Weight;
        int channels = layer.Rows.ChannelsPerGroup;
        sbyte[] floors = Floors(weight, above, level), integers = new sbyte[floors.Length];
        var scales = new float[weight.Scales.Length];
        double gain = weight.Gain(level), error = 0, signal = 0;
        for (int group = 0; group < moments.Length; group++)
        {
            int first = group * channels;
            var problem = new RoundingProblem
            {
                Weights = layer.OfGroup(weight.Values, group),
                Floors = layer.OfGroup(floors, group),
                Largest = (1 << (level - 1)) - 1,
                Units = Array.ConvertAll(layer.OfGroup(weight.Scales, group), scale => scale * gain),
                Zeros = Array.ConvertAll(layer.OfGroup(weight.ZeroPoints, group), zero => zero / gain),
                FitsScale = level < weight.Bits.Full,
            };
            RoundingResult result = CalibratedRounding.Round(moments[group], problem, parallel);
            result.Integers.CopyTo(integers, first * layer.Rows.Length);
            for (int i = 0; i < channels; i++)
            {
                scales[first + i] = (float)(weight.Scales[first + i] * result.ScaleFactors[i]);
                error += result.Errors[i];
                signal += result.Signals[i];
            }
        }

        // Weights that are all zero have neither.
        return new WeightLevel(integers, scales, signal > 0 ? error / signal : 0);
    }

    /// <summary>The lower one of the two integers that each weight may become.</summary>
    private static sbyte[] Floors(CalibratedWeight weight, int above, int level)
    {
        if (level < above) return Array.ConvertAll(weight[above].Integers, value => (sbyte)(value >> (above - level)));
        int length = weight.View.WeightsPerChannel, limit = 1 << (level - 1);
        var floors = new sbyte[weight.Values.Length];
        for (int i = 0; i < floors.Length; i++)
        {
            double steps = ((double)weight.Values[i] / weight.Scales[i / length]) + weight.ZeroPoints[i / length];
            floors[i] = (sbyte)Math.Clamp(Math.Floor(steps), -limit, limit - 1);
        }

        return floors;
    }

    /// <summary>The model with float activations: every DequantizeLinear of a QuantizeLinear yields what that one reads.</summary>
    private ModelProto WithoutQuantization()
    {
        ModelProto copy = model.Clone();
        GraphProto graph = copy.MainGraph();
        GraphView view = GraphView.Of(graph);
        for (int i = 0; i < graph.Node.Count; i++)
        {
            NodeProto node = graph.Node[i];
            if (!node.Is("DequantizeLinear")) continue;
            if (view.Producer(node.Input[0]) is not { } quantize || !quantize.Is("QuantizeLinear")) continue;
            var identity = new NodeProto { OpType = "Identity", Name = node.Name };
            identity.Input.Add(quantize.Input[0]);
            identity.Output.AddRange(node.Output);
            graph.Node[i] = identity;
        }

        return copy;
    }
}
