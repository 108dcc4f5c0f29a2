using NestQuant.Compiler.Onnx;
using NestQuant.Passes.Nesting;
using NestQuant.RuntimeOps.Packing;
using Snapshooter;
using Snapshooter.Xunit;

namespace NestQuant.Passes.Tests.GoldenModels;

/// <summary>
/// The text of what every golden model compiles to is checked in beside the models, in golden-models/__snapshots__. It holds the hashes
/// of all operands, so one changed bit of one weight shows.
/// </summary>
public sealed class GoldenTextTests
{
    public static TheoryData<string, ActivationMode, WeightScheme> Cases
    {
        get
        {
            var cases = new TheoryData<string, ActivationMode, WeightScheme>();
            foreach (string model in GoldenModel.Names)
            {
                cases.Add(model, ActivationMode.Dynamic, WeightScheme.Symmetric);
                cases.Add(model, ActivationMode.None, WeightScheme.Affine);
            }

            return cases;
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void CompiledTextIsAsCheckedIn(string model, ActivationMode activations, WeightScheme weights)
    {
        var options = new CompileOptions { Nest = new NestedBits(8, 6), Activations = activations, Weights = weights };
        string text = ModelText.Print(NestQuantCompiler.Compile(GoldenModel.Load(model), options).Model);
        string name = $"{model}.8-6.{activations}.{weights}.txt".ToLowerInvariant();
        Snapshot.Match(text, new SnapshotFullName(name, GoldenModel.SourceFolder));
    }
}
