using NestQuant.Compiler.Pipeline;
using NestQuant.Onnx;
using NestQuant.Onnx.Graph;
using NestQuant.Onnx.Validation;
using NestQuant.Passes.Tests.Integer.ActivationQuantization;
using NestQuant.Passes.Tests.Models;
using NestQuant.Passes.Tests.Nesting;
using NestQuant.RuntimeOps.Packing;

namespace NestQuant.Passes.Tests.Integer;

/// <summary>
/// A statically compiled model and the quantize-dequantize model that it stands for: the same ranges, the same weights, float operators.
/// </summary>
internal sealed record QdqReference(ModelProto Compiled, CompileResult Result, ModelProto Qdq)
{
    /// <summary>Compiles a model with the ranges of one run.</summary>
    public static QdqReference Of(ModelProto source, bool part, params (string Name, TensorValue Value)[] feeds)
    {
        var ranges = new MeasuredRanges(feeds);
        var options = new CompilerOptions
        {
            Weights = new() { Bits = new NestedBits(8, 6) },
            Activations = new() { Mode = Passes.Nesting.ActivationMode.Static, Ranges = ranges },
        };
        ModelProto qdq = ModelRunner.Clone(source);
        PassPipeline pipeline = NestQuantCompiler.CreatePipeline(options);
        var context = new ModelContext(qdq);
        foreach (IGraphPass pass in pipeline.Passes.TakeWhile(static pass => pass is not Passes.Nesting.NestingPass)) pass.Run(context);
        CompileResult result = NestQuantCompiler.Compile(ModelRunner.Clone(source), options);
        ModelValidation.Verify(result.Model);
        return new QdqReference(result.Model, result, DequantizedModel.Of(qdq, result.Model, part));
    }

    public IEnumerable<string> Ops => Compiled.AllNodes().Select(static node => node.OpType);

    public int Count(string op) => Ops.Count(name => name == op);

    /// <summary>Root of the mean squared difference of the results, relative to that of the reference.</summary>
    public float RelativeError(int? bits, params (string Name, TensorValue Value)[] feeds)
    {
        TensorValue expected = QdqGraph.RunAsWritten(Qdq, feeds).Values.First();
        TensorValue actual = ModelRunner.Run(
            Compiled, bits is { } value ? [.. feeds, ("nest_bits", TensorValue.OfInt32([], value))] : feeds).Values.First();
        Assert.Equal(expected.Shape, actual.Shape);
        double difference = 0, size = 0;
        foreach ((float left, float right) in expected.Floats.Zip(actual.Floats))
        {
            difference += (left - right) * (left - right);
            size += left * left;
        }

        return (float)Math.Sqrt(difference / size);
    }
}
