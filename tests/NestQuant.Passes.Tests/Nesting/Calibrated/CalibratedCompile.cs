using Microsoft.ML.OnnxRuntime;
using NestQuant.Onnx;
using NestQuant.Passes.Nesting;
using NestQuant.Passes.Tests.Calibration;
using NestQuant.Passes.Tests.GoldenModels;
using NestQuant.Passes.Tests.Models;
using NestQuant.RuntimeOps.Packing;

namespace NestQuant.Passes.Tests.Nesting.Calibrated;

/// <summary>Compiles with weights that are rounded for data.</summary>
internal static class CalibratedCompile
{
    /// <summary>Samples that are enough to show what calibration does.</summary>
    public const int Samples = 48;

    /// <summary>Training images of the golden models.</summary>
    public static ArrayData Digits(int count = Samples) => new([count, 1, 8, 8], GoldenModel.TrainingImages.Floats[..(count * 64)]);

    public static WeightOptions Weights(string bits, ArrayData data) =>
        new() { Bits = NestedBits.Parse(bits), Calibration = new WeightCalibration(data.Set) };

    public static CompilerOptions Options(WeightOptions weights, ActivationMode activations = ActivationMode.WeightOnly) => new()
    {
        Weights = weights,
        Activations = new ActivationOptions { Mode = activations },
    };

    /// <summary>What a model computes on all test images of the golden models.</summary>
    public static float[] Logits(ModelProto model, int? bits = null)
    {
        using InferenceSession session = ModelRunner.Open(model, threads: 2);
        return GoldenModel.Logits(session, GoldenModel.TestImages, bits);
    }

    public static double Top1(ModelProto model, int bits) => GoldenModel.Top1(Logits(model, bits), GoldenModel.TestLabels);

    /// <summary>Signal to noise ratio in dB.</summary>
    public static double Sqnr(float[] expected, float[] actual)
    {
        double signal = 0, noise = 0;
        for (int i = 0; i < expected.Length; i++)
        {
            double error = expected[i] - (double)actual[i];
            signal += (double)expected[i] * expected[i];
            noise += error * error;
        }

        return 10 * Math.Log10(signal / noise);
    }
}
