using CsCheck;
using NestQuant.Compiler.Onnx;
using NestQuant.Passes.Nesting;
using NestQuant.Passes.Tests.GoldenModels;
using NestQuant.Passes.Tests.Models;

namespace NestQuant.Passes.Tests.Export;

/// <summary><see cref="ExportLaw"/> for the golden models, for whole networks, and for random graphs.</summary>
public sealed class ExportLawTests
{
    private const int Images = 8;

    private static readonly ActivationMode[] Modes = [ActivationMode.None, ActivationMode.Dynamic, ActivationMode.Static];

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
        ExportLaw.Verify(GoldenModel.Load(name), mode, ("input", TensorValue.Of(shape, all.Floats.AsSpan(0, (int)(all.Floats.Length / all.Shape[0]) * Images))));
    }

    [Fact]
    public void RandomProducts() => Gen.Select(ProductGraphs.Models, Gen.OneOf(Modes)).Sample(
        static (create, mode) => ExportLaw.Verify(create(), mode, ProductGraphs.Feeds), iter: 60, threads: 1);
}
