namespace NestQuant.Passes.Tests.Integer.Sweep;

/// <summary>Operators that move elements or pick among them.</summary>
internal static class MovementCases
{
    private static readonly long[] Row = [2, 3, 11];

    public static IEnumerable<OperatorCase> All => [.. Slices, .. Splits, .. Concats, .. Transposes, .. Reshapes, .. Others];

    private static IEnumerable<OperatorCase> Slices
    {
        get
        {
            yield return new("z = Slice(a, <0 2>, <1 7>)");
            yield return new("z = Slice(a, <0 0 1 1>, <1 8 9 9>)");
            foreach (string axes in (string[])["<2 3>", "<3 2>", "<-1 -2>", "<1 -1>"])
                foreach (string steps in (string[])["", ", <1 2>", ", <2 1>"])
                    yield return new($"z = Slice(a, <1 0>, <9 4>, {axes}{steps})");
            yield return new("z = Slice(a, <-1 -1>, <-9 -9>, <2 3>, <-1 -2>)");
            yield return new("z = Slice(a, <-1>, <-100>, <1>, <-1>)");
            yield return new("z = Slice(a, <0 1 0 0>, <1 7 4 4>, , <1 2 1 3>)");
            yield return new("z = Slice(a, <1>, <8>, <-1>, <2>)") { Shape = Row };
            yield return new("s = Shape(a); e = Slice(s, <2>, <3>); z = Slice(a, <1>, e, <2>)");
        }
    }

    private static IEnumerable<OperatorCase> Splits
    {
        get
        {
            foreach (int axis in (int[])[1, -3])
            {
                yield return new($"u1, v1 = Split[axis={axis}](a); z = Concat[axis=1](v1, u1)") { Opset = 13 };
                yield return new($"u1, v1 = Split[axis={axis} split=3,5](a); z = Concat[axis=1](v1, u1)") { Opset = 11 };
                yield return new($"u1, v1, w1 = Split[axis={axis}](a, <1 5 2>); z = Concat[axis=1](w1, v1)") { Opset = 13 };
                yield return new($"u1, v1, w1 = Split[axis={axis} num_outputs=3](a); z = Concat[axis=1](w1, v1)") { Opset = 18 };
                yield return new($"u1, v1 = Split[axis={axis}](a, <4 4>); z = Mul(u1, v1)") { Opset = 13 };
                yield return new($"u1, v1 = Split[axis={axis}](a, <4 4>); s1 = Sigmoid(v1); z = Mul(u1, s1)") { Opset = 13 };
                yield return new($"u1, z = Split[axis={axis}](a, <3 5>)") { Opset = 13 };
            }

            yield return new("u1, z = Split[axis=2](a, <2 3>)") { Opset = 13 };
            yield return new("u1, v1 = Split[axis=-1](a, <2 5>); z = Concat[axis=3](v1, u1)") { Opset = 13 };
            yield return new("u1, z = Split[axis=-1 num_outputs=2](a)") { Opset = 18 };
            yield return new("z, v1 = Split[num_outputs=2](a)") { Opset = 18, Shape = [4, 3, 5, 5] };
            yield return new("u1, z = Split[axis=1](a)") { Opset = 13, Shape = Row };
        }
    }

    private static IEnumerable<OperatorCase> Concats
    {
        get
        {
            foreach (int axis in (int[])[0, 1, 2, 3, -1, -2, -3])
            {
                yield return new($"z = Concat[axis={axis}](a, b)");
                yield return new($"z = Concat[axis={axis}](a, b, a)");
                yield return new($"z = Concat[axis={axis}](a, a)");
                yield return new($"z = Concat[axis={axis}](a)");
            }

            yield return new("z = Concat[axis=1](a, b)") { Shape = Row };
            yield return new("z = Concat[axis=-1](a, b)") { Shape = Row };
            yield return new("z = Concat[axis=1](a, @1 2 5 7)");
            yield return new("p = Concat[axis=1](a, b); z = Relu(p)");
            yield return new("p = Pad(a, <0 0 1 1 0 0 1 1>); r = Relu(p); z = Concat[axis=1](r, x)");
            yield return new("s = Softmax[axis=1](a); z = Concat[axis=1](s, b)");
            yield return new("s = Softmax[axis=1](a); t = Softmax[axis=1](b); z = Concat[axis=1](s, t)");
        }
    }

    private static IEnumerable<OperatorCase> Transposes
    {
        get
        {
            int[][] permutations =
            [
                [0, 1, 2, 3], [0, 1, 3, 2], [0, 2, 1, 3], [0, 2, 3, 1], [0, 3, 1, 2], [0, 3, 2, 1], [1, 0, 2, 3], [2, 1, 0, 3],
                [3, 2, 1, 0], [1, 2, 3, 0],
            ];
            foreach (int[] permutation in permutations) yield return new($"z = Transpose[perm={string.Join(',', permutation)}](a)");
            yield return new("z = Transpose(a)");
            yield return new("z = Transpose[perm=0,2,1](a)") { Shape = Row };
            yield return new("t = Transpose[perm=0,2,3,1](a); m = MaxPool[kernel_shape=2,2](t); z = Transpose[perm=0,3,1,2](m)");
            yield return new(
                "t = Transpose[perm=0,2,3,1](a); m = Resize[mode=nearest](t, , <1. 2. 2. 1.>); z = Transpose[perm=0,3,1,2](m)");
            yield return new("t = Transpose[perm=0,2,3,1](a); m = Pad(t, <0 1 0 0 0 1 2 0>); z = Transpose[perm=0,3,1,2](m)");
            yield return new("t = Transpose[perm=0,2,3,1](a); m = AveragePool[kernel_shape=2,2](t); z = Transpose[perm=0,3,1,2](m)");
            yield return new("t = Transpose[perm=0,2,3,1](a); m = Concat[axis=3](t, t); z = Transpose[perm=0,3,1,2](m)");
            yield return new("t = Transpose[perm=0,2,3,1](a); m = Softmax[axis=-1](t); z = Transpose[perm=0,3,1,2](m)");
            yield return new("t = Transpose[perm=0,2,3,1](a); m = Slice(t, <1>, <4>, <1>); z = Transpose[perm=0,3,1,2](m)");
            yield return new("t = Transpose[perm=0,3,1,2](a); z = MaxPool[kernel_shape=2,2](t)");
        }
    }

    private static IEnumerable<OperatorCase> Reshapes
    {
        get
        {
            foreach (string shape in (string[])
            [
                "<1 8 35>", "<0 0 -1>", "<0 4 -1 7>", "<1 280>", "<-1 7>", "<0 2 4 5 7>", "<0 -1 1 1>", "<0 1 1 -1>",
                "<1 8 5 7>", "<0 5 7 8>",
            ])
            {
                yield return new($"z = Reshape(a, {shape})");
                if (!shape.Contains('0', StringComparison.Ordinal))
                    yield return new($"z = Reshape[allowzero=1](a, {shape})") { Opset = 14 };
            }

            foreach (int axis in (int[])[0, 1, 2, 3, 4, -1, -2, -3]) yield return new($"z = Flatten[axis={axis}](a)");
            yield return new("z = Flatten(a)") { Shape = Row };
            yield return new("p = GlobalAveragePool(a); z = Squeeze(p, <2 3>)");
            yield return new("p = GlobalAveragePool(a); z = Squeeze(p, <-1>)");
            yield return new("p = GlobalAveragePool(a); z = Squeeze[axes=2,3](p)") { Opset = 11 };
            yield return new("p = GlobalAveragePool(a); z = Squeeze(p)") { Shape = [2, 3, 7, 9] };
            yield return new("p = GlobalAveragePool(a); s = Squeeze(p, <2 3>); z = Unsqueeze(s, <-1 2>)");
            yield return new("p = GlobalAveragePool(a); s = Squeeze(p, <2 3>); u1 = Unsqueeze(s, <2 3>); z = Mul(a, u1)");
            yield return new("z = Unsqueeze(a, <2>)");
            yield return new("z = Unsqueeze[axes=0,](a)") { Opset = 11 };
            yield return new("z = Unsqueeze(a, <-1>)") { Shape = Row };
            yield return new("r = Reshape(a, <0 2 4 5 7>); t = Transpose[perm=0,2,1,3,4](r); z = Reshape(t, <0 8 5 7>)");
        }
    }

    private static IEnumerable<OperatorCase> Others
    {
        get
        {
            foreach (string mode in (string[])["DCR", "CRD"]) yield return new($"z = DepthToSpace[blocksize=2 mode={mode}](a)");
            yield return new("z = SpaceToDepth[blocksize=2](a)") { Shape = [1, 3, 8, 10] };
            yield return new("z = Expand(a, <3 1 1 1>)");
            yield return new("p = GlobalAveragePool(a); z = Expand(p, <1 1 4 5>)");
            yield return new("z = Tile(a, <1 1 2 3>)");
            yield return new("z = Tile(a, <1 2 1 1>)");
            foreach (int axis in (int[])[0, 1, 2, 3, -1]) yield return new($"z = Gather[axis={axis}](a, <0 0>)");
            yield return new("z = Gather[axis=1](a, <7 0 -1 3>)");
            yield return new("z = Gather[axis=3](a, <4 0 -1>)");
            yield return new("z = Identity(a)");
            yield return new("z = Dropout(a)");
            yield return new("s = Shape(a); z = Reshape(a, s)");
            yield return new("s = Shape(a); d = Slice(s, <0>, <2>); e = Concat[axis=0](d, <-1>); z = Reshape(a, e)");
            yield return new("s = Sigmoid(a); z = Transpose[perm=0,1,3,2](s)");
            yield return new("z = ReverseSequence[batch_axis=0 time_axis=1](a, <5>)");
        }
    }
}
