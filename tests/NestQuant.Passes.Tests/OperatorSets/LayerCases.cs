namespace NestQuant.Passes.Tests.OperatorSets;

/// <summary>Layers of networks: convolutions, pooling, normalisation, recurrent layers, losses.</summary>
internal static class LayerCases
{
    public static IEnumerable<UpgradeCase> All =>
    [
        .. Convolutions, .. Pools, .. Normalizations, .. Softmaxes, .. Recurrent, .. Losses, .. Others,
    ];

    private static IEnumerable<UpgradeCase> Convolutions =>
    [
        new("Conv", "y = Conv(x, @4 3 3 3)"),
        new("Conv", "y = Conv[pads=1,0,1,2 strides=2,1 dilations=1,2](x, @4 3 3 3, @4)"),
        .. from pad in (string[])["SAME_UPPER", "SAME_LOWER", "VALID"]
           select new UpgradeCase("Conv", $"y = Conv[auto_pad={pad} strides=2,2](x, @4 3 3 3)"),
        .. from pad in (string[])["SAME_UPPER", "SAME_LOWER", "VALID"]
           select new UpgradeCase("ConvTranspose", $"y = ConvTranspose[auto_pad={pad} strides=2,2](x, @3 4 3 3)"),
        new("ConvTranspose", "y = ConvTranspose[strides=2,2 output_padding=1,1 pads=1,1,1,1](x, @3 4 3 3, @4)"),
        new("ConvTranspose", "y = ConvTranspose[strides=2,2 output_shape=9,13](x, @3 4 3 3)"),
    ];

    private static IEnumerable<UpgradeCase> Pools
    {
        get
        {
            foreach (string op in (string[])["MaxPool", "AveragePool", "LpPool"])
            {
                yield return new(op, $"y = {op}[kernel_shape=2,3](x)");
                yield return new(op, $"y = {op}[kernel_shape=3,3 strides=2,2 pads=1,1,1,1](x)");
                foreach (string pad in (string[])["SAME_UPPER", "SAME_LOWER", "VALID"])
                    yield return new(op, $"y = {op}[kernel_shape=3,3 strides=2,2 auto_pad={pad}](x)");
                int ceil = op == "LpPool" ? 18 : 10;
                yield return new(op, $"y = {op}[kernel_shape=2,2 strides=2,2 ceil_mode=1](x)", ceil) { Shape = [1, 2, 5, 7] };
                yield return new(op, $"y = {op}[kernel_shape=3,3 strides=2,2 pads=1,1,1,1 ceil_mode=1](x)", ceil) { Shape = [1, 2, 6, 8] };
            }

            yield return new("MaxPool", "y, i = MaxPool[kernel_shape=2,2 storage_order=0](x)", 8);
            yield return new("MaxPool", "y, i = MaxPool[kernel_shape=2,2 strides=2,2 storage_order=1](x)", 8);
            yield return new("MaxPool", "y = MaxPool[kernel_shape=2,2 dilations=2,2](x)", 10);
            yield return new("AveragePool", "y = AveragePool[kernel_shape=3,3 pads=1,1,1,1 count_include_pad=1](x)");
            yield return new(
                "AveragePool", "y = AveragePool[kernel_shape=3,3 strides=2,2 pads=1,1,1,1 ceil_mode=1 count_include_pad=1](x)", 10)
            {
                Shape = [1, 2, 6, 8],
            };
            yield return new("LpPool", "y = LpPool[kernel_shape=2,2 p=1](x)");
            yield return new(
                "MaxUnpool", "m, i = MaxPool[kernel_shape=2,2 strides=2,2](x); y = MaxUnpool[kernel_shape=2,2 strides=2,2](m, i)", 9);
        }
    }

    private static IEnumerable<UpgradeCase> Normalizations =>
    [
        new("BatchNormalization", "v = Abs(@3); y = BatchNormalization(x, @3, @3, @3, v)"),
        new("BatchNormalization", "v = Abs(@3); y = BatchNormalization[epsilon=0.1 momentum=0.5](x, @3, @3, @3, v)"),
        new("BatchNormalization", "v = Abs(@3); y = BatchNormalization[spatial=1](x, @3, @3, @3, v)", Last: 8),
        new("BatchNormalization", "y = BatchNormalization[spatial=0](x, @3, @3, @3, <1. 2. 3.>)", Last: 8) { Shape = [4, 3] },
        new("LRN", "y = LRN[size=3 alpha=0.1](x)"),
        new("MeanVarianceNormalization", "y = MeanVarianceNormalization(x)", 9),
        new("MeanVarianceNormalization", "y = MeanVarianceNormalization[axes=1,2](x)", 9),
        new("LayerNormalization", "y = LayerNormalization(x, @6, @6)", 16),
        new("LayerNormalization", "y = LayerNormalization[axis=2](x, @4 6)", 16),
    ];

    private static IEnumerable<UpgradeCase> Softmaxes
    {
        get
        {
            foreach (string op in (string[])["Softmax", "LogSoftmax", "Hardmax"])
            {
                yield return new(op, $"y = {op}(x)", Last: 12);
                foreach (int axis in (int[])[0, 1, 2, 3]) yield return new(op, $"y = {op}[axis={axis}](x)", Last: 12);
                foreach (int axis in (int[])[-1, -2, -4]) yield return new(op, $"y = {op}[axis={axis}](x)", 11, 12);
                yield return new(op, $"y = {op}(x)", Last: 12) { Shape = [4, 7] };
                yield return new(op, $"r = Reshape(x, <6 -1>); e = Exp(r); y = {op}(e)", Last: 12);
                yield return new(op, $"t = Tile(x, <1 1 1 1>); d = Cast[to=1](t); y = {op}[axis=3](d)", Last: 12);
                yield return new(op, $"y = {op}[axis=1](x)", 13);
            }
        }
    }

    private static IEnumerable<UpgradeCase> Recurrent =>
    [
        .. from direction in (string[])["forward", "reverse"]
           select new UpgradeCase("LSTM", $"y, h, c = LSTM[hidden_size=2 direction={direction}](x, @1 8 3, @1 8 2, @1 16)")
           {
               Shape = [4, 2, 3],
           },
        new("LSTM", "y, h, c = LSTM[hidden_size=2 direction=bidirectional](x, @2 8 3, @2 8 2)") { Shape = [4, 2, 3] },
        new("GRU", "y, h = GRU[hidden_size=2 linear_before_reset=1](x, @1 6 3, @1 6 2, @1 12)") { Shape = [4, 2, 3] },
        new("RNN", "y, h = RNN[hidden_size=2](x, @1 2 3, @1 2 2, @1 4)") { Shape = [4, 2, 3] },
    ];

    private static IEnumerable<UpgradeCase> Losses =>
    [
        new("NegativeLogLikelihoodLoss", "y = NegativeLogLikelihoodLoss(x, <1 2>)", 12) { Shape = [2, 3] },
        new("NegativeLogLikelihoodLoss", "y = NegativeLogLikelihoodLoss[reduction=none](x, <1 2>, @3)", 12) { Shape = [2, 3] },
        new("SoftmaxCrossEntropyLoss", "y = SoftmaxCrossEntropyLoss(x, <1 2>)", 12) { Shape = [2, 3] },
    ];

    private static IEnumerable<UpgradeCase> Others =>
    [
        .. from mode in (string[])["avg", "max"]
           select new UpgradeCase(
               "RoiAlign",
               $"r = Reshape(<0. 0. 4. 3.>, <1 4>); y = RoiAlign[output_height=2 output_width=2 sampling_ratio=2 mode={mode}](x, r, <1>)",
               10),
        new(
            "NonMaxSuppression",
            "b = Reshape(x, <1 6 4>); a = Abs(b); s = Reshape(@6, <1 1 6>); y = NonMaxSuppression(a, s, <3>, <0.5f>, <0.f>)",
            10)
        {
            Shape = [24],
        },
    ];
}
