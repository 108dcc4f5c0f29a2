namespace NestQuant.Passes.Tests.Integer.Sweep;

/// <summary>Pooling operators, and means and extremes over axes.</summary>
internal static class PoolCases
{
    /// <summary>Windows of which the last ones reach beyond the padding.</summary>
    private const string Overhanging = "kernel_shape=3,3 ceil_mode=1 pads=1,1,1,1 strides=2,2";

    private static readonly string[] Windows =
    [
        "kernel_shape=3,3", "kernel_shape=2,3 strides=2,1", "kernel_shape=3,2 pads=1,0,2,1 strides=2,2",
        "kernel_shape=3,3 auto_pad=SAME_UPPER strides=2,2", "kernel_shape=2,2 auto_pad=SAME_LOWER",
        "kernel_shape=3,3 auto_pad=VALID strides=2,3", "kernel_shape=2,3 ceil_mode=1 strides=2,2",
        Overhanging, "kernel_shape=5,7",
    ];

    private static readonly string[] DilatedWindows =
    [
        "kernel_shape=2,2 dilations=2,3", "kernel_shape=2,3 dilations=2,2 pads=1,1,1,1 strides=2,1",
        "kernel_shape=2,2 dilations=2,2 ceil_mode=1 strides=2,2",
    ];

    private static readonly long[] Row = [2, 3, 11];

    public static IEnumerable<OperatorCase> All => [.. MaxPools, .. AveragePools, .. GlobalPools, .. Reductions];

    private static IEnumerable<OperatorCase> MaxPools
    {
        get
        {
            foreach (string window in (string[])
            [
                .. Windows, .. DilatedWindows, "kernel_shape=2,2 storage_order=0",
                "kernel_shape=2,2 storage_order=1 strides=2,2",
            ])
                yield return new($"z = MaxPool[{window}](a)");
            foreach (long opset in (long[])[11, 12, 22])
                yield return new("z = MaxPool[kernel_shape=3,3 ceil_mode=1 strides=2,2](a)") { Opset = opset };
            yield return new("z, i = MaxPool[kernel_shape=2,2](a)");
            yield return new("z, i = MaxPool[kernel_shape=2,2 storage_order=1](a)");
            yield return new("p, i = MaxPool[kernel_shape=2,2](a); f = Cast[to=1](i); z = Add(p, f)");
            foreach (string window in (string[])
            [
                "kernel_shape=3,", "kernel_shape=3, ceil_mode=1 strides=2,", "kernel_shape=2, dilations=3, pads=1,0",
                "kernel_shape=2, storage_order=1",
            ])
                yield return new($"z = MaxPool[{window}](a)") { Shape = Row };
            foreach (string window in (string[])
            [
                "kernel_shape=2,2,3", "kernel_shape=2,2,3 strides=1,2,2 ceil_mode=1", "kernel_shape=1,2,2 pads=0,1,1,0,0,1",
            ])
                yield return new($"r = Reshape(a, <1 2 4 5 7>); z = MaxPool[{window}](r)");
        }
    }

    private static IEnumerable<OperatorCase> AveragePools
    {
        get
        {
            foreach (string window in Windows)
                foreach (int counted in (int[])[0, 1])
                    yield return new($"z = AveragePool[{window} count_include_pad={counted}](a)") { Opset = counted == 0 ? 17 : 19 };
            foreach (long opset in (long[])[11, 22])
                foreach (int counted in (int[])[0, 1])
                    yield return new($"z = AveragePool[{Overhanging} count_include_pad={counted}](a)") { Opset = opset };
            foreach (string window in DilatedWindows)
                foreach (int counted in (int[])[0, 1])
                    yield return new($"z = AveragePool[{window} count_include_pad={counted}](a)") { Opset = 19 };
            foreach (string window in (string[])
            [
                "kernel_shape=3,", "kernel_shape=3, ceil_mode=1 strides=2,", "kernel_shape=2, pads=1,0 count_include_pad=1",
                "kernel_shape=2, ceil_mode=1 strides=2, pads=1,1 count_include_pad=1", "kernel_shape=2, dilations=3,",
            ])
                yield return new($"z = AveragePool[{window}](a)") { Opset = 19, Shape = Row };
            foreach (string window in (string[])
            [
                "kernel_shape=2,2,3", "kernel_shape=2,2,3 strides=1,2,2 ceil_mode=1",
                "kernel_shape=1,2,2 pads=0,1,1,0,0,1 count_include_pad=1",
            ])
                yield return new($"r = Reshape(a, <1 2 4 5 7>); z = AveragePool[{window}](r)");
            yield return new($"p = AveragePool[{Overhanging} count_include_pad=1](a); z = Relu(p)");
            yield return new(
                $"p = AveragePool[{Overhanging} count_include_pad=1](a); z = Clip(p, <-100.f>, <100.f>)");
            yield return new(
                $"p = AveragePool[{Overhanging} count_include_pad=1](a); z = Reshape(p, <0 4 -1 4>)");
            yield return new("p = AveragePool[kernel_shape=2,2 dilations=2,2](a); z = Transpose[perm=0,2,3,1](p)") { Opset = 19 };
            yield return new("p = AveragePool[kernel_shape=2,2 dilations=2,2](a); z = MaxPool[kernel_shape=2,2](p)") { Opset = 19 };
            yield return new("t = Transpose[perm=0,1,3,2](a); z = AveragePool[kernel_shape=2,2 dilations=2,2](t)") { Opset = 19 };
            yield return new("p = AveragePool[kernel_shape=2,2](a); z = Relu(p)");
        }
    }

    private static IEnumerable<OperatorCase> GlobalPools
    {
        get
        {
            foreach (string pool in (string[])["GlobalAveragePool", "GlobalMaxPool", "GlobalLpPool"])
            {
                yield return new($"z = {pool}(a)");
                yield return new($"z = {pool}(a)") { Shape = Row };
                yield return new($"z = {pool}(a)") { Opset = 21, Shape = [3, 3, 5, 6] };
                yield return new($"p = {pool}(a); z = Flatten(p)");
                yield return new($"p = {pool}(a); z = Mul(a, p)");
                yield return new($"r = Reshape(a, <1 2 4 5 7>); z = {pool}(r)");
            }

            foreach (string window in Windows.Take(3)) yield return new($"z = LpPool[{window} p=2](a)") { Opset = 18 };
        }
    }

    private static IEnumerable<OperatorCase> Reductions
    {
        get
        {
            foreach (string axes in (string[])["2 3", "3 2", "-1 -2", "1", "-1", "0 2 3", "1 2 3"])
                foreach (int kept in (int[])[0, 1])
                {
                    yield return new($"z = ReduceMean[axes={axes.Replace(' ', ',')}, keepdims={kept}](a)") { Opset = 13 };
                    yield return new($"z = ReduceMean[keepdims={kept}](a, <{axes}>)") { Opset = 18 };
                }

            foreach (string reduce in (string[])["ReduceMax", "ReduceMin", "ReduceSum", "ReduceL2"])
                foreach (string axes in (string[])["2 3", "-1"]) yield return new($"z = {reduce}(a, <{axes}>)") { Opset = 18 };
            yield return new("z = ReduceMean[noop_with_empty_axes=1](a)") { Opset = 18 };
            yield return new("z = ReduceMean(a)") { Opset = 18 };
            yield return new("z = ReduceMean[axes=2,](a)") { Shape = Row };
            yield return new("z = ReduceMean[axes=2, keepdims=0](a)") { Shape = Row };
            yield return new("p = ReduceMean[axes=2,3](a); z = Relu(p)");
        }
    }
}
