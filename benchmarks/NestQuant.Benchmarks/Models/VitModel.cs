using NestQuant.Onnx;

namespace NestQuant.Benchmarks.Models;

/// <summary>
/// The matrix products of ViT-Tiny (Touvron et al., arXiv 2012.12877, DeiT-Ti): 12 layers over 197 tokens of 192 features, each a
/// projection to queries, keys and values, one back, and an MLP of 768. Attention itself has no constant weights and is left out: the
/// values pass through.
/// </summary>
internal static class VitModel
{
    private const int Tokens = 197, Features = 192, Layers = 12;

    /// <summary>Builds it: 5.0M weights.</summary>
    public static ModelProto Create(int seed)
    {
        var builder = new GraphBuilder("vit-tiny-matmuls", seed);
        string x = "input";
        for (int layer = 0; layer < Layers; layer++)
        {
            string attended = builder.Linear(builder.Linear(x, Features, 3 * Features), 3 * Features, Features);
            x = builder.Add(x, attended);
            x = builder.Add(x, builder.Linear(builder.Relu(builder.Linear(x, Features, 4 * Features)), 4 * Features, Features));
        }

        return builder.Build([-1, Tokens, Features], x, [-1, Tokens, Features]);
    }
}
