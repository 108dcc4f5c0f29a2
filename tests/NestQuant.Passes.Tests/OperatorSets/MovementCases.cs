namespace NestQuant.Passes.Tests.OperatorSets;

/// <summary>Operators that move elements, pick among them, or reduce axes.</summary>
internal static class MovementCases
{
    public static IEnumerable<UpgradeCase> All => [.. Axes, .. Reductions, .. Pieces, .. Picks, .. Layouts, .. Pads];

    private static IEnumerable<UpgradeCase> Axes =>
    [
        new("Squeeze", "y = Squeeze[axes=1,3](x)", Last: 12) { Shape = [2, 1, 4, 1] },
        new("Squeeze", "y = Squeeze(x)") { Shape = [2, 1, 4, 1] },
        new("Squeeze", "y = Squeeze[axes=-1,](x)", 11, 12) { Shape = [2, 1, 4, 1] },
        new("Squeeze", "y = Squeeze(x, <1>)", 13) { Shape = [2, 1, 4, 1] },
        new("Unsqueeze", "y = Unsqueeze[axes=0,3](x)", Last: 12),
        new("Unsqueeze", "y = Unsqueeze[axes=-1,](x)", 11, 12),
        new("Unsqueeze", "y = Unsqueeze(x, <1 -1>)", 13),
        new("Flatten", "y = Flatten(x)"),
        .. from axis in (int[])[0, 2, 4] select new UpgradeCase("Flatten", $"y = Flatten[axis={axis}](x)"),
        new("Flatten", "y = Flatten[axis=-2](x)", 11),
        new("Reshape", "y = Reshape(x, <0 -1 6>)"),
        new("Reshape", "y = Reshape[allowzero=1](x, <3 48>)", 14),
        new("Transpose", "y = Transpose[perm=0,2,3,1](x)"),
        new("Transpose", "y = Transpose(x)"),
        new("Expand", "y = Expand(@3 1 1, <2 3 4 6>)", 8),
        new("Tile", "y = Tile(x, <1 2 1 3>)"),
    ];

    private static IEnumerable<UpgradeCase> Reductions
    {
        get
        {
            foreach (string op in (string[])
            [
                "ReduceL1", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp", "ReduceMax", "ReduceMean", "ReduceMin", "ReduceProd",
                "ReduceSum", "ReduceSumSquare",
            ])
            {
                int last = op == "ReduceSum" ? 12 : 17;
                yield return new(op, $"a = Abs(x); y = {op}(a)");
                yield return new(op, $"a = Abs(x); y = {op}[keepdims=0](a)");
                yield return new(op, $"a = Abs(x); y = {op}[axes=2,3](a)", Last: last);
                yield return new(op, $"a = Abs(x); y = {op}[axes=1, keepdims=0](a)", Last: last);
                yield return new(op, $"a = Abs(x); y = {op}[axes=-1,-3](a)", 11, last);
                yield return new(op, $"a = Abs(x); y = {op}(a, <1 3>)", last + 1);
            }

            foreach (string op in (string[])["ArgMax", "ArgMin"])
            {
                yield return new(op, $"y = {op}(x)");
                yield return new(op, $"y = {op}[axis=2 keepdims=0](x)");
                yield return new(op, $"r = Relu(x); y = {op}[axis=-1](r)", 11);
                yield return new(op, $"r = Relu(x); y = {op}[axis=1](r)");
                yield return new(op, $"r = Relu(x); y = {op}[axis=1 select_last_index=1](r)", 12);
            }

            yield return new("CumSum", "y = CumSum(x, <2>)", 11);
            yield return new("CumSum", "y = CumSum[exclusive=1 reverse=1](x, <-1>)", 11);
        }
    }

    private static IEnumerable<UpgradeCase> Pieces =>
    [
        new("Slice", "y = Slice[starts=0,1 ends=2,3](x)", Last: 9),
        new("Slice", "y = Slice[axes=1,3 starts=1,-4 ends=9,-1](x)", Last: 9),
        new("Slice", "y = Slice[axes=2, starts=-100, ends=2147483647,](x)", Last: 9),
        new("Slice", "y = Slice(x, <0 4>, <3 0>, <1 3>, <2 -1>)", 10),
        new("Slice", "y = Slice(x, <1>, <100>, <-1>)", 11),
        new("Split", "y, z = Split[axis=3](x)", Last: 17),
        new("Split", "y, z, w = Split[axis=1](x)", Last: 17),
        new("Split", "y, z = Split(x)", Last: 17),
        new("Split", "y, z = Split[axis=2 split=1,3](x)", Last: 12),
        new("Split", "y, z, w = Split[axis=-1 split=1,3,2](x)", 11, 12),
        new("Split", "y, z = Split[axis=2](x, <1 3>)", 13),
        new("Split", "y, z = Split[axis=3 num_outputs=2](x)", 18),
        new("Concat", "y = Concat[axis=1](x, x, @2 1 4 6)"),
        new("Concat", "y = Concat[axis=-1](x, @2 3 4 1)", 11),
    ];

    private static IEnumerable<UpgradeCase> Picks =>
    [
        new("Gather", "y = Gather[axis=2](x, <0 3 1>)"),
        new("Gather", "y = Gather(x, <-1 0>)", 11),
        new("GatherElements", "i = Cast[to=7](@2 3 4 6); y = GatherElements[axis=1](x, i)", 11),
        new("GatherND", "i = Reshape(<0 1 1 2>, <2 2>); y = GatherND(x, i)", 11),
        new("GatherND", "i = Reshape(<0 1>, <2 1>); y = GatherND[batch_dims=1](x, i)", 12),
        new("Scatter", "i = Reshape(<0 2 1>, <1 3 1 1>); y = Scatter[axis=1](x, i, @1 3 1 1)", 9, 10),
        new("Scatter", "i = Reshape(<0 1>, <2 1 1 1>); y = Scatter(x, i, @2 1 1 1)", 9, 10),
        new("ScatterElements", "i = Reshape(<0 2 -1>, <1 3 1 1>); y = ScatterElements[axis=1](x, i, @1 3 1 1)", 11),
        new("ScatterElements", "i = Reshape(<0 2 2>, <1 3 1 1>); y = ScatterElements[axis=1 reduction=add](x, i, @1 3 1 1)", 16),
        new("ScatterND", "i = Reshape(<0 1 1 2>, <2 2>); y = ScatterND(x, i, @2 4 6)", 11),
        new("ScatterND", "i = Reshape(<0 1 0 1>, <2 2>); y = ScatterND[reduction=mul](x, i, @2 4 6)", 16),
        new("TopK", "y, i = TopK[k=3](x)", Last: 9),
        new("TopK", "r = Relu(x); y, i = TopK[k=2 axis=1](r)", Last: 9),
        new("TopK", "y, i = TopK[axis=2](x, <2>)", 10),
        new("TopK", "r = Relu(x); y, i = TopK[largest=0 sorted=1](r, <4>)", 11),
        new("OneHot", "c = Abs(x); s = Mul(c, <4.f>); i = Cast[to=7](s); y = OneHot(i, <4>, <0. 1.>)", 9) { Shape = [5] },
        new("OneHot", "y = OneHot[axis=0](<0 -1 2 7 -4>, <3>, <0.5 2.>)", 9),
    ];

    private static IEnumerable<UpgradeCase> Layouts =>
    [
        new("DepthToSpace", "y = DepthToSpace[blocksize=2](x)") { Shape = [1, 8, 2, 3] },
        new("DepthToSpace", "y = DepthToSpace[blocksize=2 mode=CRD](x)", 11) { Shape = [1, 8, 2, 3] },
        new("SpaceToDepth", "y = SpaceToDepth[blocksize=2](x)"),
        new("OptionalGetElement", "o = Optional(x); y = OptionalGetElement(o)", 15),
        new("OptionalHasElement", "o = Optional(x); y = OptionalHasElement(o)", 15),
    ];

    private static IEnumerable<UpgradeCase> Pads =>
    [
        .. from mode in (string[])["constant", "reflect", "edge"]
           select new UpgradeCase("Pad", $"y = Pad[mode={mode} pads=0,0,1,2,0,0,1,0](x)", Last: 10),
        new("Pad", "y = Pad[pads=0,0,1,2,0,0,1,0 value=0.75](x)", Last: 10),
        new("Pad", "y = Pad[pads=0,0,-1,2,0,0,1,-2](x)", Last: 10),
        .. from mode in (string[])["constant", "reflect", "edge"]
           select new UpgradeCase("Pad", $"y = Pad[mode={mode}](x, <0 0 1 2 0 0 1 0>)", 11),
        new("Pad", "y = Pad(x, <0 0 1 2 0 0 1 0>, <0.75f>)", 11),
        new("Pad", "y = Pad(x, <1 2>, , <-2>)", 18),
    ];
}
