using NestQuant.Onnx;
using NestQuant.Passes.Tests.Models;
using NestQuant.TestSupport;

namespace NestQuant.Passes.Tests.OperatorSets;

/// <summary>Operators that work element by element, or on constants.</summary>
internal static class ArithmeticCases
{
    public static IEnumerable<UpgradeCase> All => [.. Unary, .. Binary, .. Comparisons, .. Variadic, .. Types, .. Clips, .. Quantized];

    private static IEnumerable<UpgradeCase> Unary =>
    [
        .. from op in (string[])["Abs", "Ceil", "Exp", "Floor", "Identity", "LeakyRelu", "Neg", "Reciprocal", "Relu", "Sigmoid", "Tanh"]
           select new UpgradeCase(op, $"y = {op}(x)"),
        new("Erf", "y = Erf(x)", 9),
        new("Log", "a = Abs(x); y = Log(a)"),
        new("Sign", "y = Sign(x)", 9),
        new("Sqrt", "a = Abs(x); y = Sqrt(a)"),
        new("IsNaN", "y = IsNaN(x)", 9),
        new("IsInf", "y = IsInf(x)", 10),
        new("IsInf", "z = Mul(x, <0.f>); i = Div(x, z); y = IsInf[detect_positive=0](i)", 10),
        new("LeakyRelu", "y = LeakyRelu[alpha=0.3](x)"),
        new("ThresholdedRelu", "y = ThresholdedRelu[alpha=0.25](x)"),
        new("Relu", "z = Cast[to=6](x); y = Relu(z)", 14),
    ];

    private static IEnumerable<UpgradeCase> Binary =>
    [
        .. from op in (string[])["Add", "Sub", "Mul", "Div"]
           from other in (string[])["@3 4 6", "@6", "@3 1 1", "@1"]
           select new UpgradeCase(op, $"y = {op}(x, {other})"),
        new("Add", "z = Cast[to=7](x); y = Add(z, <1 2 3 4 5 6>)"),
        new("Pow", "a = Abs(x); y = Pow(a, <2.f>)"),
        new("Pow", "a = Abs(x); y = Pow(a, @6)"),
        new("Pow", "y = Pow(x, <2>)", 12),
        new("Mod", "a = Cast[to=7](x); y = Mod(a, <3>)", 10),
        new("Mod", "y = Mod[fmod=1](x, <0.3f>)", 10),
        new("PRelu", "y = PRelu(x, @3 1 1)"),
        new("PRelu", "y = PRelu(x, @1)"),
        new("MatMul", "y = MatMul(x, @6 5)"),
        new("MatMul", "y = MatMul(x, @3 6 5)"),
        new("MatMul", "z = Cast[to=6](x); w = Cast[to=6](@6 5); y = MatMul(z, w)", 9),
        new("Gemm", "r = Flatten(x); y = Gemm(r, @72 5, @5)"),
        new("Gemm", "r = Flatten(x); y = Gemm[transB=1 alpha=0.5 beta=2.](r, @5 72, @2 1)"),
        new("Gemm", "r = Flatten(x); y = Gemm[transA=1](r, @2 5)", 11),
    ];

    private static IEnumerable<UpgradeCase> Comparisons =>
    [
        .. from op in (string[])["Greater", "Less"]
           select new UpgradeCase(op, $"y = {op}(x, @3 4 6)"),
        .. from op in (string[])["GreaterOrEqual", "LessOrEqual"]
           select new UpgradeCase(op, $"y = {op}(x, @3 4 6)", 12),
        new("Equal", "a = Cast[to=7](x); y = Equal(a, <0>)"),
        new("Equal", "y = Equal(x, @6)", 11),
        new("Greater", "a = Cast[to=7](x); y = Greater(a, <0>)", 9),
        new("Where", "c = Greater(x, <0.f>); y = Where(c, x, @6)", 9),
        new("NonZero", "r = Relu(x); y = NonZero(r)", 9),
        new("Compress", "c = Greater(@4, <0.f>); y = Compress[axis=2](x, c)", 9),
        new("Compress", "c = Greater(@4, <0.f>); y = Compress(x, c)", 9),
        new("Compress", "c = Greater(@4, <0.f>); y = Compress[axis=-2](x, c)", 11),
    ];

    private static IEnumerable<UpgradeCase> Variadic =>
    [
        .. from op in (string[])["Max", "Min", "Mean", "Sum"]
           from inputs in (string[])["x", "x, @2 3 4 6", "x, @2 3 4 6, x"]
           select new UpgradeCase(op, $"y = {op}({inputs})"),
        .. from op in (string[])["Max", "Min", "Mean", "Sum"]
           select new UpgradeCase(op, $"y = {op}(x, @6, @3 1 1)", 8),
        new("Max", "a = Cast[to=7](x); y = Max(a, <0>)", 12),
        new("Min", "a = Cast[to=7](x); y = Min(a, <0>)", 12),
    ];

    private static IEnumerable<UpgradeCase> Types =>
    [
        .. from type in (int[])[2, 3, 6, 7, 9, 10, 11] select new UpgradeCase("Cast", $"z = Mul(x, <9.f>); y = Cast[to={type}](z)"),
        new("Cast", "a = Cast[to=8](x); y = Cast[to=1](a)", 9),
        new("CastLike", "y = CastLike(x, <1>)", 15),
        new("Constant", "n = Neg(x)")
        {
            Extend = static graph =>
                graph.Node("y = Constant()", AttributeProto.Tensor("value", TensorProto.FromFloats("", [2], [1, 2]))),
        },
        new("ConstantOfShape", "y = ConstantOfShape(<2 3>)", 9),
        new("Shape", "y = Shape(x)"),
        new("Shape", "y = Shape[start=1 end=-1](x)", 15),
        new("Size", "y = Size(x)"),
    ];

    private static IEnumerable<UpgradeCase> Clips =>
    [
        new("Clip", "y = Clip[min=-0.5 max=0.25](x)", Last: 10),
        new("Clip", "y = Clip[min=-0.5](x)", Last: 10),
        new("Clip", "y = Clip[max=0.25](x)", Last: 10),
        new("Clip", "y = Clip(x)", Last: 20),
        new("Clip", "z = Mul(x, <0.f>); i = Div(x, z); y = Clip(i)", Last: 20),
        new("Clip", "y = Clip(x, <-0.5f>, <0.25f>)", 11),
        new("Clip", "y = Clip(x, , <0.25f>)", 11),
        new("Dropout", "y = Dropout[ratio=0.3](x)", Last: 11),
        new("Dropout", "y = Dropout(x)"),
        new("Dropout", "d, mask = Dropout(x)", Last: 9)
        {
            // A mask that nothing reads is not in the way, nor is what is declared about it.
            Extend = static graph =>
            {
                graph.Graph.ValueInfo.Add(GraphBuilder.Value(TensorDataType.Float, "mask", 2, 3, 4, 6));
                graph.Nodes("y = Identity(d)");
            },
        },
        new("Dropout", "y = Dropout(x, <0.3f>)", 12),
        new("Dropout", "y, mask = Dropout(x)", 12),
    ];

    private static IEnumerable<UpgradeCase> Quantized =>
    [
        new("QuantizeLinear", "p = Cast[to=2](<120f>); y = QuantizeLinear(x, <0.01f>, p)", 10),
        new("QuantizeLinear", "y = QuantizeLinear(x, <0.01f>)", 10),
        new("QuantizeLinear", "y = QuantizeLinear[axis=1](x, <0.01 0.02 0.03>)", 13),
        new("DequantizeLinear", "q = QuantizeLinear(x, <0.01f>); y = DequantizeLinear(q, <0.02f>)", 10),
        new("DequantizeLinear", "q = QuantizeLinear(x, <0.01f>); y = DequantizeLinear[axis=-1](q, <0.1 0.2 0.3 0.4 0.5 0.6>)", 13),
        new(
            "QLinearMatMul",
            "p = Cast[to=2](<120f>); a = QuantizeLinear(x, <0.01f>, p); b = QuantizeLinear(@6 5, <0.01f>, p); "
                + "y = QLinearMatMul(a, <0.01f>, p, b, <0.01f>, p, <0.03f>, p)",
            10),
    ];
}
