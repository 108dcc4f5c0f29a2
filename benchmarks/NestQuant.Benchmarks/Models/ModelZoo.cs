using NestQuant.Onnx;

namespace NestQuant.Benchmarks.Models;

/// <summary>The generated models, by name.</summary>
internal static class ModelZoo
{
    private const int Seed = 1;

    /// <summary>Every model's name and how it is made; the weights are random, but always the same.</summary>
    public static IReadOnlyDictionary<string, Func<ModelProto>> All { get; } = new Dictionary<string, Func<ModelProto>>(
        StringComparer.Ordinal)
    {
        ["resnet18"] = static () => ResNetModel.ResNet18(Seed),
        ["resnet50"] = static () => ResNetModel.ResNet50(Seed),
        ["resnet101"] = static () => ResNetModel.ResNet101(Seed),
        ["mobilenetv2"] = static () => MobileNetV2Model.Create(Seed),
        ["mobilefacenet"] = static () => MobileFaceNetModel.Create(Seed),
        ["vgg16"] = static () => VggModel.Create(Seed),
        ["vit-tiny"] = static () => VitModel.Create(Seed),
    };
}
