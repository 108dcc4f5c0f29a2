// The program of an integrator: compiles with a pass of its own, saves, and runs at both precisions; or runs a documented sample.
using Microsoft.ML.OnnxRuntime;
using NestQuant.Compiler.Pipeline;
using NestQuant.Onnx;
using NestQuant.Onnx.Files;
using NestQuant.Passes;
using NestQuant.Passes.Cleanup;
using NestQuant.RuntimeOps;
using NestQuant.RuntimeOps.Packing;

if (args is ["sample", var number])
{
    await Samples.Run(int.Parse(number));
    return;
}

if (args is ["library-path"])
{
    Console.WriteLine(NestQuantOps.LibraryPath);
    return;
}

ModelProto model = ModelFile.Load(args[0]);
CompilerOptions options = new() { Weights = new() { Bits = new NestedBits(8, 6) } };
PassPipeline pipeline = NestQuantCompiler.CreatePipeline(options).InsertAfter<DeadCodePass>(new RenamePass());
NestQuantCompiler.Compile(model, pipeline, options).Save(args[1]);

using SessionOptions session = new SessionOptions().RegisterNestQuantOps();
using InferenceSession nested = new(args[1], session);
float[] image = new float[64];
Array.Fill(image, 0.5f);
foreach (int bits in new[] { 8, 6 })
{
    using OrtValue x = OrtValue.CreateTensorValueFromMemory(image, [1, 1, 8, 8]);
    using OrtValue selector = OrtValue.CreateTensorValueFromMemory(new[] { bits }, []);
    using RunOptions run = new();
    Dictionary<string, OrtValue> inputs = new() { [nested.InputNames.First(name => name != "nest_bits")] = x, ["nest_bits"] = selector };
    using var outputs = nested.Run(run, inputs, nested.OutputNames);
    Console.WriteLine($"{bits}: {string.Join(' ', outputs[0].GetTensorDataAsSpan<float>().ToArray())}");
}

/// <summary>A pass of the integrator's own.</summary>
internal sealed class RenamePass : IGraphPass
{
    public string Name => "rename";

    public PassResult Run(ModelContext context)
    {
        GraphProto graph = context.Model.Graph!;
        if (graph.Name == "renamed") return PassResult.Unchanged;
        graph.Name = "renamed";
        return new PassResult(Changed: true);
    }
}
