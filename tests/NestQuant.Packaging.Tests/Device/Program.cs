// The program of a device with an older .NET: runs a compiled model at full precision.
using Microsoft.ML.OnnxRuntime;
using NestQuant.RuntimeOps;

using SessionOptions options = new SessionOptions().RegisterNestQuantOps();
using InferenceSession session = new(args[0], options);
float[] image = new float[64];
Array.Fill(image, 0.5f);
using OrtValue x = OrtValue.CreateTensorValueFromMemory(image, [1, 1, 8, 8]);
using RunOptions run = new();
using var outputs = session.Run(
    run, new Dictionary<string, OrtValue> { [session.InputNames.First(name => name != "nest_bits")] = x }, session.OutputNames);
Console.WriteLine($"8: {string.Join(' ', outputs[0].GetTensorDataAsSpan<float>().ToArray())}");
