using CsCheck;
using NestQuant.Onnx;
using NestQuant.Passes.Nesting;
using NestQuant.Passes.Tests.GoldenModels;
using NestQuant.Passes.Tests.Integer;
using NestQuant.Passes.Tests.Models;

namespace NestQuant.Passes.Tests.Export;

/// <summary><see cref="ExportLaw"/> for the golden models, for whole networks, and for random graphs.</summary>
public sealed class ExportLawTests
{
    private const int Images = 8;

    private static readonly ActivationMode[] Modes = [ActivationMode.WeightOnly, ActivationMode.Dynamic, ActivationMode.Static];

    public static TheoryData<string, ActivationMode> Golden
    {
        get
        {
            var cases = new TheoryData<string, ActivationMode>();
            foreach (string model in GoldenModel.Names)
                foreach (ActivationMode mode in Modes) cases.Add(model, mode);
            return cases;
        }
    }

    [Theory]
    [MemberData(nameof(Golden))]
    public void GoldenModels(string name, ActivationMode mode)
    {
        TensorValue all = GoldenModel.TestImages;
        long[] shape = [Images, .. all.Shape.AsSpan(1)];
        ExportLaw.Verify(
            GoldenModel.Load(name),
            mode,
            ("input", TensorValue.Of(shape, all.Floats.AsSpan(0, (int)(all.Floats.Length / all.Shape[0]) * Images))));
    }

    public static TheoryData<string, ActivationMode> Networks
    {
        get
        {
            var cases = new TheoryData<string, ActivationMode>();
            foreach (string network in StaticNetworks.All.Keys)
                foreach (ActivationMode mode in Modes) cases.Add(network, mode);
            return cases;
        }
    }

    [Theory]
    [MemberData(nameof(Networks))]
    public void WholeNetworks(string name, ActivationMode mode)
    {
        ModelProto source = StaticNetworks.All[name]();
        ExportLaw.Verify(
            source,
            mode,
            (
                "input",
                TensorValue.Random([.. source.Graph!.Input[0].Type!.TensorType!.Shape!.Dim.Select(static dim => dim.DimValue ?? 0)])));
    }

    [Fact]
    public void RandomProducts() => Holds(ProductGraphs.Models, ProductGraphs.Feeds);

    [Fact]
    public void RandomGraphs() => Holds(RandomGraphTests.Models, RandomGraphTests.Feeds);

    [Fact]
    public void RandomNetworks() => Holds(RandomNetworkTests.Models, RandomNetworkTests.Feeds);

    private static void Holds(Gen<Func<ModelProto>> models, (string Name, TensorValue Value)[] feeds) =>
        Gen.Select(models, Gen.OneOf(Modes)).Sample((create, mode) => ExportLaw.Verify(create(), mode, feeds), threads: 1);
}
