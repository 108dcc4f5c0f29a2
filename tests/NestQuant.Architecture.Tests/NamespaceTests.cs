using System.Text.RegularExpressions;
using NestQuant.TestSupport;

namespace NestQuant.Architecture.Tests;

public partial class NamespaceTests
{
    // The tiers choose kernels and the kernels name their tier: one unit, in folders for its size.
    private static readonly string[] OneUnit = ["NestQuant.RuntimeOps.Kernels", "NestQuant.RuntimeOps.Packing"];

    public static TheoryData<Layer> Layers => [.. Layer.All];

    [Theory]
    [MemberData(nameof(Layers))]
    public void Namespaces_do_not_use_each_other_in_a_circle(Layer layer)
    {
        IEnumerable<string[]> cycles = new NamespaceGraph(layer.Assembly.Location).Cycles()
            .Where(cycle => !cycle.All(name => OneUnit.Any(unit => name.StartsWith(unit, StringComparison.Ordinal))));
        Assert.Empty(cycles.Select(cycle => string.Join(", ", cycle)));
    }

    [Fact]
    public void The_kernels_are_found_to_be_a_circle() =>
        Assert.NotEmpty(new NamespaceGraph(Layer.All[1].Assembly.Location).Cycles());

    [Fact]
    public void A_namespace_is_the_path_of_its_folder()
    {
        string[] wrong =
        [
            .. SourceFiles.Of("*.cs").Where(file => Namespace().Match(File.ReadAllText(file)) is { Success: true } match
                && match.Groups["name"].Value != ExpectedNamespace(file))
        ];
        Assert.Empty(wrong);
    }

    private static string ExpectedNamespace(string file)
    {
        string[] folders = Path.GetRelativePath(Checkout.Root, Path.GetDirectoryName(file)!).Split(Path.DirectorySeparatorChar);
        return string.Join('.', folders.SkipWhile(folder => !folder.StartsWith("NestQuant.", StringComparison.Ordinal)));
    }

    [GeneratedRegex(@"^namespace (?<name>[\w.]+)", RegexOptions.Multiline | RegexOptions.ExplicitCapture)]
    private static partial Regex Namespace();
}
