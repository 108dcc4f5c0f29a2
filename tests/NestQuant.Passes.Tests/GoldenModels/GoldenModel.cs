using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;
using NestQuant.Data;
using NestQuant.Onnx;
using NestQuant.Onnx.Files;
using NestQuant.Passes.Tests.Models;
using NestQuant.TestSupport;

namespace NestQuant.Passes.Tests.GoldenModels;

/// <summary>The models, images and expected logits of golden-models/.</summary>
internal static class GoldenModel
{
    public static IReadOnlyList<string> Names { get; } = ["digits-cnn", "digits-cnn-bn", "digits-mbv2", "digits-gnl", "digits-gnl-sparse"];

    /// <summary>
    /// golden-models/ of the checkout, where the snapshots lie; the tests read the models from a copy beside the test assembly.
    /// </summary>
    public static string SourceFolder => Path.Combine(Checkout.Root, "golden-models");

    private static readonly string Folder = Path.Combine(AppContext.BaseDirectory, "golden-models");

    public static long[] TestLabels { get; } = NpyArray.Read(Path.Combine(Folder, "test-labels.npy")).ToInt64s();

    /// <summary>All 500 test images, as the models take them.</summary>
    public static TensorValue TestImages { get; } = Images(Path.Combine(Folder, "test-images.npy"));

    /// <summary>The images that calibrate.</summary>
    public static TensorValue TrainingImages { get; } = Images(Path.Combine(Folder, "train-images.npy"));

    public static ModelProto Load(string name) => ModelFile.Load(Path.Combine(Folder, name + ".onnx"));

    /// <summary>Logits that PyTorch computed, float32 [500, 10].</summary>
    public static float[] ExpectedLogits(string name) =>
        MemoryMarshal.Cast<byte, float>(File.ReadAllBytes(Path.Combine(Folder, name + ".test-logits.f32"))).ToArray();

    public static TensorValue Images(string path)
    {
        NpyArray images = NpyArray.Read(path);
        return TensorValue.Of([.. images.Shape], images.ToFloats());
    }

    /// <summary>Share of rows whose largest logit is at the label, in percent.</summary>
    public static double Top1(float[] logits, ReadOnlySpan<long> labels)
    {
        int classes = logits.Length / labels.Length, correct = 0;
        for (int i = 0; i < labels.Length; i++)
            if (System.Numerics.Tensors.TensorPrimitives.IndexOfMax(logits.AsSpan(i * classes, classes)) == labels[i]) correct++;
        return 100.0 * correct / labels.Length;
    }

    /// <summary>Logits of all test images, at the precision given or at the model's default.</summary>
    public static float[] Logits(InferenceSession session, TensorValue images, int? bits = null)
    {
        (string, TensorValue)[] feeds = bits is { } value
            ? [("input", images), ("nest_bits", TensorValue.OfInt32([], value))]
            : [("input", images)];
        return ModelRunner.Run(session, feeds)["logits"].Floats;
    }
}
