// Runs a part model, goes on with the complete one, and switches: Host PART_MODEL FULL_MODEL
using Microsoft.ML.OnnxRuntime;
using NestQuant.RuntimeOps.Sessions;

if (args is not [var partModel, var fullModel])
{
    Console.Error.WriteLine("usage: Host PART_MODEL FULL_MODEL");
    return 2;
}

using NestedSession session = NestedSession.Open(partModel);
string name = session.InputNames[0];
long[] shape = [.. session.InputMetadata[name].Dimensions.Select(dimension => (long)Math.Max(dimension, 1))];
float[] values = new float[shape.Aggregate(1L, (product, dimension) => product * dimension)];
Array.Fill(values, 0.5f);
using OrtValue input = OrtValue.CreateTensorValueFromMemory(values, shape);
Dictionary<string, OrtValue> inputs = new() { [name] = input };

Run();
session.ReplaceModel(fullModel); // when the other files have arrived; runs in flight end with what they have
session.SwitchTo(8);
Run();
session.SwitchTo(6);
Run();
return 0;

void Run()
{
    using var outputs = session.Run(inputs);
    ReadOnlySpan<float> scores = outputs[0].GetTensorDataAsSpan<float>();
    Console.WriteLine($"{session.Bits} bits: {string.Join(' ', scores.ToArray().Select(score => $"{score:F4}"))}");
    Console.WriteLine($"  in memory: high bits {session.Memory.ResidentHigh}, low bits {session.Memory.ResidentLow} bytes");
}
