using NestQuant.Onnx;
using NestQuant.TestSupport;
using static NestQuant.Onnx.AttributeProto;
using static NestQuant.TestSupport.GraphBuilder;

namespace NestQuant.Security.Tests.Fuzzing.Corpora;

/// <summary>
/// Models that compile in milliseconds and together have everything that the passes look at. Each takes <c>x</c>, float [batch, 4, 6, 6].
/// </summary>
internal static class TinyModels
{
    public static IReadOnlyList<(string Name, ModelProto Model)> All { get; } =
    [
        ("convolutions", Convolutions()),
        ("layouts", Layouts()),
        ("products", Products()),
        ("bodies", Bodies()),
        ("functions", Functions()),
        ("constants", Constants()),
        ("shapes", Shapes()),
        ("quantized", Quantized()),
        ("odd", OddConvolutions()),
        ("old", Old()),
        ("tables", Tables()),
    ];

    private static ModelProto Convolutions() => Tiny()
        .Random("w0", 8, 4, 3, 3).Random("b0", 8).Random("scale", 8).Random("shift", 8).Random("mean", 8)
        .Floats("variance", [8], 1, 2, 1, 2, 1, 2, 1, 2)
        .Random("w1", 8, 1, 3, 3).Random("w2", 8, 8, 1, 1).Random("w3", 5, 8).Random("b3", 5).Floats("low", [], 0).Floats("high", [], 6)
        .Node("first: c0 = Conv(x, w0, b0)", IntList("pads", 1, 1, 1, 1))
        .Node("norm: n0 = BatchNormalization(c0, scale, shift, mean, variance)").Node("a0 = Relu(n0)")
        .Node("depthwise: c1 = Conv(a0, w1)", Int("group", 8), IntList("pads", 1, 1, 1, 1)).Node("a1 = Clip(c1, low, high)")
        .Node("pointwise: c2 = Conv(a1, w2)").Node("s = Add(c2, a0)").Node("a2 = HardSwish(s)")
        .Node("pool: p = MaxPool(a2)", IntList("kernel_shape", 2, 2), IntList("strides", 2, 2))
        .Node("g = GlobalAveragePool(p)").Node("f = Flatten(g)").Node("fc: y = Gemm(f, w3, b3)", Int("transB", 1))
        .Output("y").Model();

    private static ModelProto Layouts() => Tiny()
        .Random("w0", 4, 4, 1, 1).Random("w1", 4, 8, 1, 1).Int64s("pads", 0, 0, 1, 1, 0, 0, 1, 1).Floats("scales", [4], 1, 1, 2, 2)
        .Int64s("starts", 0).Int64s("ends", 8).Int64s("axes", 1)
        .Node("first: c0 = Conv(x, w0)").Node("p0 = Pad(c0, pads)")
        .Node("m = AveragePool(p0)", IntList("kernel_shape", 2, 2), IntList("strides", 2, 2))
        .Node("r = Resize(m, , scales)", String("mode", "nearest")).Node("t = Transpose(r)", IntList("perm", 0, 1, 3, 2))
        .Node("u = Concat(t, r)", Int("axis", 1)).Node("v = Slice(u, starts, ends, axes)").Node("last: c1 = Conv(v, w1)")
        .Node("a, b = Split(c1)", Int("axis", 1)).Node("z = Mul(a, b)").Node("d = DepthToSpace(c1)", Int("blocksize", 2))
        .Node("q = Sigmoid(z)").Node("e = ReduceMean(d)", IntList("axes", 2, 3))
        .Output("q", "e").Model();

    private static ModelProto Products() => Tiny()
        .Int64s("shape", -1, 4, 36).Random("w0", 36, 8).Random("b0", 8).Random("w1", 8, 8).Random("w2", 2, 8, 4).Int64s("rows", 0, 1)
        .Node("r = Reshape(x, shape)").Node("query: m0 = MatMul(r, w0)").Node("s0 = Add(m0, b0)").Node("g = Erf(s0)")
        .Node("key: m1 = MatMul(g, w1)").Node("t = Transpose(m1)", IntList("perm", 0, 2, 1)).Node("scores = MatMul(m1, t)")
        .Node("p = Softmax(scores)").Node("v = MatMul(p, m1)").Node("i = Gather(v, rows)", Int("axis", 1))
        .Node("y = MatMul(v, w1)").Node("batched: u = MatMul(v, w2)").Node("z = ReduceSum(i)")
        .Output("y", "z", "u").Model();

    private static ModelProto Bodies()
    {
        GraphBuilder then = new GraphBuilder("then").Random("wt", 4, 4, 1, 1).Node("nested: t = Conv(x, wt)").Output("t");
        GraphBuilder otherwise = new GraphBuilder("else").Node("half = Constant()", Float("value_float", 0.5f)).Node("e = Mul(x, half)")
            .Output("e");
        var loop = new GraphBuilder("loop");
        loop.Graph.Input.AddRange([
            Value(TensorDataType.Int64, "i"), Value(TensorDataType.Bool, "go"), Value(TensorDataType.Float, "v", -1, 4, 6, 6)]);
        loop.Node("in loop: m = MatMul(v, shared)").Node("v_out = Tanh(m)").Node("go_out = Identity(go)");
        loop.Graph.Output.AddRange([Value(TensorDataType.Bool, "go_out"), Value(TensorDataType.Float, "v_out", -1, 4, 6, 6)]);
        var scan = new GraphBuilder("scan");
        scan.Graph.Input.Add(Value(TensorDataType.Float, "slice", 4, 6, 6));
        scan.Node("out = Neg(slice)");
        scan.Graph.Output.Add(Value(TensorDataType.Float, "out", 4, 6, 6));
        return Tiny().Floats("zero", [], 0).Random("shared", 6, 6).Constant(TensorProto.FromInt64s("trips", [], [2]))
            .Constant(TensorProto.FromBytes("always", TensorDataType.Bool, [], [1]))
            .Node("mean = ReduceMean(x)", Int("keepdims", 0)).Node("c = Greater(mean, zero)")
            .Node("branch: b = If(c)", Graph("then_branch", then.Graph), Graph("else_branch", otherwise.Graph))
            .Node("loop: l = Loop(trips, always, b)", Graph("body", loop.Graph))
            .Node("scan: y = Scan(l)", Graph("body", scan.Graph), Int("num_scan_inputs", 1))
            .Node("outside: z = MatMul(y, shared)").Output("z").Model();
    }

    private static ModelProto Functions()
    {
        var swish = new FunctionProto { Name = "Swish", Domain = "local" };
        swish.Input.Add("a");
        swish.Output.Add("b");
        swish.Attribute.Add("alpha");
        var alpha = new AttributeProto { Name = "alpha", Type = AttributeType.Float, RefAttrName = "alpha" };
        swish.Node.AddRange([Parse("s = LeakyRelu(a)", alpha), Parse("k = Constant()", Float("value_float", 2)), Parse("b = Mul(s, k)")]);
        var block = new FunctionProto { Name = "Block", Domain = "local" };
        block.Input.AddRange(["a", "w"]);
        block.Output.Add("c");
        block.Node.AddRange([Parse("b = Conv(a, w)"), Parse("c = local.Swish(b)", Float("alpha", 0.1f))]);
        foreach (FunctionProto function in new[] { swish, block })
            function.OpsetImport.AddRange([new() { Domain = "", Version = 17 }, new() { Domain = "local", Version = 1 }]);
        ModelProto model = Tiny().Random("w0", 4, 4, 1, 1).Random("w1", 4, 4, 1, 1).Node("call: f = local.Block(x, w0)")
            .Node("last: c = Conv(f, w1)")
            .Node("y = local.Swish(c)", Float("alpha", 0.2f)).Output("y").Model(domains: ["local"]);
        model.Functions.AddRange([swish, block]);
        return model;
    }

    private static ModelProto Constants()
    {
        var typed = new TensorProto { Name = "typed", DataType = TensorDataType.Float };
        typed.Dims.AddRange([4, 1, 1]);
        typed.FloatData.AddRange([1, 2, 3, 4]);
        var half = new TensorProto { Name = "half", DataType = TensorDataType.Float16 };
        half.Dims.Add(1);
        half.Int32Data.Add(0x3C00);
        SparseTensorProto sparse = Sparse("sparse", [2], 0, 17), values = Sparse("", [1, 2], 0, 1);
        GraphBuilder graph = Tiny().Constant(typed).Constant(half).Random("w", 4, 4, 1, 1)
            .Node("k0 = Constant()", Tensor("value", TensorProto.FromFloats("", [1], [0.5f])))
            .Node("k1 = Constant()", FloatList("value_floats", 1, 2, 3, 4, 5, 6))
            .Node("k2 = Constant()", IntList("value_ints", 4, 4, 1, 1))
            .Node("k3 = Constant()", new AttributeProto { Name = "sparse_value", Type = AttributeType.SparseTensor, SparseTensor = values })
            .Node("k4 = Constant()", String("value_string", "text"))
            .Node("scaled = Mul(w, k0)").Node("shaped = Reshape(scaled, k2)").Node("h = Cast(half)", Int("to", 1))
            .Node("c = Conv(x, shaped)").Node("a = Add(c, typed)").Node("b = Mul(a, k1)").Node("d = MatMul(b, sparse)")
            .Node("e = Add(d, k3)").Node("f = Mul(e, h)")
            .Node("i = Identity(f)").Node("y = Dropout(i)").Output("y");
        graph.Graph.SparseInitializer.Add(sparse);
        return graph.Model();
    }

    private static ModelProto Shapes() => Tiny()
        .Random("w", 144, 4).Int64s("zero", 0).Int64s("rest", -1).Int64s("fill", 2, 3).Int64s("repeats", 1, 2).Floats("pad", [], 0)
        .Int64s("pads", 0, 0, 0, 1)
        .Node("s = Shape(x)").Node("n = Gather(s, zero)").Node("to = Concat(n, rest)", Int("axis", 0)).Node("r = Reshape(x, to)")
        .Node("fc: m = MatMul(r, w)").Node("c = ConstantOfShape(fill)").Node("t = Tile(c, repeats)").Node("p = Pad(t, pads, pad)")
        .Node("k = ReduceSum(p)")
        .Node("q = Shape(w)").Node("e = Expand(k, q)").Node("o = Transpose(e)").Node("u = MatMul(m, o)").Node("v = Unsqueeze(u, zero)")
        .Node("y = Squeeze(v, zero)")
        .Output("y").Model();

    private static ModelProto Quantized() => Tiny()
        .Floats("xs", [], 0.02f).Constant(TensorProto.FromBytes("xz", TensorDataType.UInt8, [], [128]))
        .Floats("ws", [4], 0.01f, 0.02f, 0.01f, 0.02f)
        .Constant(TensorProto.FromBytes("wz", TensorDataType.Int8, [4], new byte[4]))
        .Constant(TensorProto.FromBytes("w", TensorDataType.Int8, [4, 4, 1, 1], new byte[16]))
        .Random("wf", 4, 4, 3, 3)
        .Node("q0 = QuantizeLinear(x, xs, xz)").Node("d0 = DequantizeLinear(q0, xs, xz)")
        .Node("dw = DequantizeLinear(w, ws, wz)", Int("axis", 0))
        .Node("c0 = Conv(d0, dw)").Node("q1 = QuantizeLinear(c0, xs, xz)").Node("d1 = DequantizeLinear(q1, xs, xz)").Node("r = Relu(d1)")
        .Node("last: y = Conv(r, wf)").Output("y").Model();

    private static ModelProto OddConvolutions() => Tiny()
        .Random("w0", 4, 6, 2, 2).Random("b0", 6).Random("w1", 6, 3, 3, 1).Random("w2", 6, 6, 3).Int64s("line", -1, 6, 15)
        .Random("gate", 6, 1, 1)
        .Node("up: c0 = ConvTranspose(x, w0, b0)", IntList("strides", 2, 2))
        .Node("grouped: c1 = Conv(c0, w1)",
            Int("group", 2), IntList("dilations", 2, 1), IntList("strides", 2, 3), String("auto_pad", "SAME_UPPER"))
        .Node("g = PRelu(c1, gate)").Node("m = Max(g, c1)").Node("sum = Sum(m, c1, g)").Node("z = Slice(sum, from, to, axes)")
        .Node("r = Reshape(z, line)")
        .Int64s("from", 0, 0).Int64s("to", 5, 3).Int64s("axes", 2, 3)
        .Node("line: c2 = Conv(r, w2)", IntList("pads", 1, 1)).Node("y = LeakyRelu(c2)", Float("alpha", 0.1f)).Output("y").Model(opset: 13);

    /// <summary>Operator set 8 and IR version 3: every initializer is an input too, and attributes hold what inputs do later.</summary>
    private static ModelProto Old()
    {
        GraphBuilder graph = Tiny().Random("w", 8, 4, 3, 3).Random("b", 8).Random("v", 8, 2)
            .Node("c = Conv(x, w, b)").Node("k = Clip(c)", Float("min", 0), Float("max", 6)).Node("d = Dropout(k)")
            .Node("p = Pad(d)", IntList("pads", 0, 0, 1, 1, 0, 0, 1, 1)).Node("u = Upsample(p)", FloatList("scales", 1, 1, 2, 2))
            .Node("g = GlobalAveragePool(u)").Node("f = Reshape(g)").Node("y = MatMul(f, v)").Output("y").Int64s("to", -1, 8);
        graph.Graph.Node.Find(static node => node.OpType == "Reshape")!.Input.Add("to");
        graph.Node("unused = Constant()", Tensor("value", TensorProto.FromFloats("", [1], [1])));
        foreach (TensorProto tensor in graph.Graph.Initializer) graph.Input(tensor.DataType, tensor.Name, [.. tensor.Dims]);
        graph.Graph.Output[0] = Value(TensorDataType.Float, "y", -1, 2);
        return graph.Model(opset: 8, irVersion: 3);
    }

    /// <summary>A table that a product shares, and one of its own; the indices are the extents of x.</summary>
    private static ModelProto Tables() => Tiny().Random("tied", 40, 20).Random("own", 40, 5, 4)
        .Node("i = Shape(x)").Node("rows: e = Gather(tied, i)").Node("others: o = Gather(own, i)")
        .Node("f = Flatten(o)").Node("s = Add(e, f)")
        .Node("t = Transpose(tied)", IntList("perm", 1, 0)).Node("product: y = MatMul(s, t)").Output("y").Model();

    /// <summary>A 6x6 tensor, zero but for one element where indices are coordinates, or two where they are positions.</summary>
    private static SparseTensorProto Sparse(string name, long[] shape, params long[] indices)
    {
        float[] values = [.. Enumerable.Repeat(3f, (int)(shape.Length == 1 ? shape[0] : 1))];
        var sparse = new SparseTensorProto
        {
            Values = TensorProto.FromFloats(name, [values.Length], values),
            Indices = TensorProto.FromInt64s("", shape, indices),
        };
        sparse.Dims.AddRange([6, 6]);
        return sparse;
    }

    private static GraphBuilder Tiny() => new GraphBuilder("tiny").Input("x", -1, 4, 6, 6);
}
