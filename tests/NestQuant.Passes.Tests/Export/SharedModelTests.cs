using NestQuant.Data;
using NestQuant.Onnx;
using NestQuant.Onnx.Files;
using NestQuant.Passes.Nesting;
using NestQuant.Passes.Tests.Models;
using Xunit.Abstractions;

namespace NestQuant.Passes.Tests.Export;

/// <summary>
/// <see cref="ExportLaw"/> for models beside the checkout, where they are: those that failed once, and trained ones that users bring.
/// </summary>
public sealed class SharedModelTests(ITestOutputHelper output)
{
    private const string None = "(none)";

    public static TheoryData<string, ActivationMode> Cases =>
        Each(SharedAssets.Find("../cases/models") is { } folder ? Directory.GetDirectories(folder, "fault_export_*") : []);

    /// <summary>Those of an operator set that can be exported.</summary>
    public static TheoryData<string, ActivationMode> Trained =>
        Each(
            new[] { "alexa_v0.1", "hello_deepa", "silero_vad_v5" }.Select(static name => SharedAssets.Find($"real/{name}.onnx"))
                .OfType<string>());

    [SkippableTheory]
    [MemberData(nameof(Cases))]
    public void WhatFailedOnce(string folder, ActivationMode mode)
    {
        Skip.If(folder == None, "../shared/cases is not there");
        ModelProto model = ModelFile.Load(Path.Combine(folder, "model.onnx"));
        string[] inputs = [.. model.Graph!.Input.Select(static input => input.Name)];
        Verify(model, mode, [.. inputs.Select((name, i) => (name, Value(NpyArray.Read(Path.Combine(folder, $"input_{i}.npy")))))]);
    }

    [SkippableTheory]
    [MemberData(nameof(Trained))]
    public void TrainedModels(string path, ActivationMode mode)
    {
        Skip.If(path == None, "../shared/assets/real is not there");
        string stem = Path.ChangeExtension(path, null);
        string data = Directory.GetFileSystemEntries(Path.GetDirectoryName(path)!, Path.GetFileName(stem) + ".calibration*")[0];
        ModelProto model = ModelFile.Load(path);
        string[] inputs = [.. model.Graph!.Input.Select(static input => input.Name)];
        IReadOnlyList<NamedArray> arrays = Dataset.Open(data).ReadBatches(1).First().Inputs;
        Verify(model, mode, [.. inputs.Select((name, i) => (name, Value(arrays[i].Array)))]);
    }

    private void Verify(ModelProto model, ActivationMode mode, (string, TensorValue)[] feeds)
    {
        foreach ((int bits, double error) in ExportLaw.Verify(model, mode, feeds))
            output.WriteLine(FormattableString.Invariant($"{bits} bits: {-20 * Math.Log10(error):F1} dB"));
    }

    private static TensorValue Value(NpyArray array) =>
        new((Microsoft.ML.OnnxRuntime.Tensors.TensorElementType)(int)array.Type.ToOnnx(), [.. array.Shape], array.Bytes.ToArray());

    private static TheoryData<string, ActivationMode> Each(IEnumerable<string> paths)
    {
        var cases = new TheoryData<string, ActivationMode>();
        foreach (string path in paths.Order(StringComparer.Ordinal).DefaultIfEmpty(None))
            foreach (ActivationMode mode in (ActivationMode[])[ActivationMode.WeightOnly, ActivationMode.Dynamic, ActivationMode.Static])
                cases.Add(path, mode);
        return cases;
    }
}
