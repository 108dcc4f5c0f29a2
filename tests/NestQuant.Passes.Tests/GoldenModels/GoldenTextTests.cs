using NestQuant.Onnx.Text;
using NestQuant.Passes.Nesting;
using NestQuant.Passes.Tests.Integer.ActivationQuantization;
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
                cases.Add(model, ActivationMode.WeightOnly, WeightScheme.Affine);
            }

            return cases;
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void CompiledTextIsAsCheckedIn(string model, ActivationMode activations, WeightScheme weights)
    {
        var options = new CompilerOptions
        {
            Weights = new() { Bits = new NestedBits(8, 6), Scheme = weights },
            Activations = new() { Mode = activations },
        };
        Compare(model, options);
    }

    /// <summary>With static activations, uint8 tensors go from operator to operator.</summary>
    [Theory]
    [InlineData("digits-cnn")]
    [InlineData("digits-mbv2")]
    [InlineData("digits-gnl")]
    public void StaticTextIsAsCheckedIn(string model)
    {
        var ranges = new MeasuredRanges(("input", GoldenModel.TrainingImages)) { Unit = 1f / 16 };
        Compare(model, new CompilerOptions
        {
            Weights = new() { Bits = new NestedBits(8, 6) },
            Activations = new() { Mode = ActivationMode.Static, Ranges = ranges },
        });
    }

    /// <summary>With three levels there is one low operand for every step.</summary>
    [Theory]
    [InlineData(ActivationMode.Dynamic)]
    [InlineData(ActivationMode.WeightOnly)]
    public void ThreeLevelTextIsAsCheckedIn(ActivationMode activations) => Compare("digits-cnn", new CompilerOptions
    {
        Weights = new() { Bits = new NestedBits(8, 6, 4) },
        Activations = new() { Mode = activations },
    });

    private static void Compare(string model, CompilerOptions options)
    {
        string text = ModelText.Print(NestQuantCompiler.Compile(GoldenModel.Load(model), options).Model);
        string bits = options.Weights.Bits!.Value.ToString().Replace(':', '-');
        string name = $"{model}.{bits}.{options.Activations.Mode}.{options.Weights.Scheme}.txt".ToLowerInvariant();
        Snapshot.Match(text, new SnapshotFullName(name, GoldenModel.SourceFolder));
    }
}
