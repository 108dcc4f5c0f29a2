using NetArchTest.Rules;

namespace NestQuant.Architecture.Tests;

public class LayerTests
{
    public static TheoryData<Layer> Layers => [.. Layer.All];

    [Theory]
    [MemberData(nameof(Layers))]
    public void A_layer_uses_lower_layers_only(Layer layer)
    {
        string[] forbidden =
        [
            .. Layer.All.Where(other => other != layer && !layer.MayUse.Contains(other.Name)).SelectMany(NamespacesOf)
        ];
        NetArchTest.Rules.TestResult result = Types.InAssembly(layer.Assembly).ShouldNot().HaveDependencyOnAny(forbidden).GetResult();
        Assert.True(result.IsSuccessful, string.Join(", ", result.FailingTypeNames ?? []));
    }

    [Fact]
    public void The_object_model_needs_neither_an_image_decoder_nor_a_runtime()
    {
        Layer onnx = Layer.All[0];
        Assert.Equal("NestQuant.Onnx", onnx.Name);
        NetArchTest.Rules.TestResult result =
            Types.InAssembly(onnx.Assembly).ShouldNot().HaveDependencyOnAny("StbImageSharp", "Microsoft.ML.OnnxRuntime").GetResult();
        Assert.True(result.IsSuccessful, string.Join(", ", result.FailingTypeNames ?? []));
    }

    // Whole namespaces: one name can be the start of another's.
    private static IEnumerable<string> NamespacesOf(Layer layer) =>
        layer.Assembly.GetTypes().Select(type => type.FullName!).Where(name => name.StartsWith("NestQuant.", StringComparison.Ordinal));
}
