using Microsoft.ML.OnnxRuntime;
using NestQuant.Onnx;
using NestQuant.Onnx.Files;
using NestQuant.Onnx.Graph;
using NestQuant.Passes.Export;
using NestQuant.Passes.Integer;
using NestQuant.Passes.Integer.ActivationQuantization;
using NestQuant.Passes.Nesting;
using NestQuant.Passes.Tests.Integer.ActivationQuantization;
using NestQuant.Passes.Tests.Models;
using NestQuant.RuntimeOps;
using NestQuant.RuntimeOps.Packing;
using NestQuant.TestSupport;

namespace NestQuant.Passes.Tests.Integer;

/// <summary>ONNX Runtime makes no integer operators of what is left in float.</summary>
public sealed class FloatBoundaryPassTests
{
    private static readonly (string, TensorValue)[] X = [("x", TensorValue.Random(1, 4, 8, 8))];

    [Fact]
    public void ASumStandsInFrontOfEveryQuantizer()
    {
        PassRun run = PassRun.Preserving(new FloatBoundaryPass(), Pairs("p = AveragePool(xd)", "y = Softmax(p)").Model(), 0, X);
        string[] expected = ["QuantizeLinear", "DequantizeLinear", "AveragePool", "Softmax", "Sum", "QuantizeLinear", "DequantizeLinear"];
        Assert.Equal(expected, run.Ops);
    }

    [Theory]
    [InlineData("y = Abs(x)")]
    [InlineData("t = Add(xd, x)", "y = Abs(t)")]
    [InlineData("y = Add(xd, half)")]
    [InlineData("y = com.nestquant.QLinearLookup(xd, table)")]
    public void ValuesThatAreNotComputedFromDequantizedOnesAloneNeedNone(params string[] nodes)
    {
        TensorProto table = TensorProto.FromBytes("table", TensorDataType.UInt8, [256], new byte[256]);
        Assert.False(
            PassRun.Of(new FloatBoundaryPass(), Pairs(nodes).Floats("half", [], 0.5f).Constant(table).Model(), loads: false).Changed);
    }

    /// <summary>Between convolutions in integers: operators that have no integer form, and products that are excluded.</summary>
    [Theory]
    [InlineData("z = AveragePool(a)", "AveragePool")]
    [InlineData("z = Softmax(a)", "Softmax")]
    [InlineData("excluded: z = Conv(a, E)", "Conv")]
    [InlineData("excluded: z = MatMul(a, M)", "MatMul")]
    public void ItStaysFloat(string node, string expected)
    {
        AttributeProto[] dilated = [AttributeProto.IntList("kernel_shape", 2, 2), AttributeProto.IntList("dilations", 2, 2)];
        AttributeProto[] attributes = expected == "AveragePool" ? dilated : [];
        ModelProto source = new GraphBuilder().Input("x", 1, 4, 8, 8)
            .Random("W", 4, 4, 3, 3).Random("V", 4, 4, 1, 1).Random("U", 4, 4, 1, 1).Random("E", 4, 4, 3, 3).Random("M", 6, 5)
            .Node("a = Conv(x, W)").Node("u = Conv(a, U)").Node(node, attributes).Node("y = Conv(z, V)").Output("y", "u").Model(19, 9);
        DeadCode.Remove(source.Graph!);
        var options = new CompilerOptions
        {
            Weights = new()
            {
                Bits = new NestedBits(8, 6),
                Exclude = node.StartsWith("excluded", StringComparison.Ordinal) ? ["excluded"] : [],
            },
            Activations = new() { Mode = ActivationMode.Static, Ranges = new MeasuredRanges(X) },
        };
        ModelProto compiled = NestQuantCompiler.Compile(source, options).Model;
        Assert.Contains("Sum", compiled.Graph!.Node.Select(static n => n.OpType));
        Assert.Contains(expected, OptimizedOps(compiled));
        ModelProto exported = ModelExport.ToQdq(compiled, new ExportOptions { Bits = 8 }).Model;
        Assert.Contains(expected, OptimizedOps(exported));
        Assert.DoesNotContain("Transpose", exported.Graph!.Node.Select(static n => n.OpType));
    }

    /// <summary>x and y are quantized; xd is the dequantized x.</summary>
    private static GraphBuilder Pairs(params string[] nodes)
    {
        GraphBuilder graph = new GraphBuilder().Input("x", 1, 4, 8, 8).Pair("x", "xd", 0.01f, 128);
        AttributeProto[] window = [AttributeProto.IntList("kernel_shape", 2, 2)];
        foreach (string node in nodes) graph.Node(node, node.Contains("AveragePool", StringComparison.Ordinal) ? window : []);
        return graph.Pair("y", "result", 0.004f, 0).Output("result");
    }

    /// <summary>What ONNX Runtime makes of a model.</summary>
    private static string[] OptimizedOps(ModelProto model)
    {
        string folder = Directory.CreateTempSubdirectory("nestquant-").FullName;
        try
        {
            string path = Path.Combine(folder, "optimized.onnx");
            using var options = new SessionOptions { OptimizedModelFilePath = path };
            options.LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR;
            options.RegisterNestQuantOps();
            using var session = new InferenceSession(ModelFile.ToBytes(model), options);
            return [.. ModelFile.Load(path).AllNodes().Select(static node => node.OpType)];
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
