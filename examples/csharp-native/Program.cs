// Runs a compiled model at the given precisions: Host MODEL BITS...
using Microsoft.ML.OnnxRuntime;

if (args.Length < 2)
{
    Console.Error.WriteLine("usage: Host MODEL BITS...");
    return 2;
}

const string BitsInput = "nest_bits";
using SessionOptions options = new();
options.RegisterCustomOpLibrary(Path.Combine(AppContext.BaseDirectory, "libnestquant_ops.so"));
options.LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR; // ONNX Runtime warns of nest_bits, which is the switch
using InferenceSession session = new(args[0], options);

string name = session.InputNames.First(input => input != BitsInput);
long[] shape = [.. session.InputMetadata[name].Dimensions.Select(dimension => (long)Math.Max(dimension, 1))];
float[] values = new float[shape.Aggregate(1L, (product, dimension) => product * dimension)];
Array.Fill(values, 0.5f);
using OrtValue input = OrtValue.CreateTensorValueFromMemory(values, shape);
int[] bits = [0];
using OrtValue selector = OrtValue.CreateTensorValueFromMemory(bits, []); // a scalar: no dimensions
Dictionary<string, OrtValue> inputs = new() { [name] = input, [BitsInput] = selector };
using RunOptions run = new();

foreach (string precision in args[1..])
{
    bits[0] = int.Parse(precision);
    using var outputs = session.Run(run, inputs, session.OutputNames);
    float[] scores = outputs[0].GetTensorDataAsSpan<float>().ToArray();
    Console.WriteLine($"{precision} bits: {string.Join(' ', scores.Select(score => $"{score:F4}"))}");
}

return 0;
