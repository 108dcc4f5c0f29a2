using System.Text.RegularExpressions;
using NestQuant.TestSupport;

namespace NestQuant.Architecture.Tests;

public partial class NamespaceTests
{
    public static TheoryData<Layer> Layers => [.. Layer.All];

    [Theory]
    [MemberData(nameof(Layers))]
    public void Namespaces_do_not_use_each_other_in_a_circle(Layer layer)
    {
        IEnumerable<string[]> cycles = new NamespaceGraph(layer.Assembly.Location).Cycles();
        Assert.Empty(cycles.Select(cycle => string.Join(", ", cycle)));
    }

    [Fact]
    public void A_circle_is_found()
    {
        string[] cycle = Assert.Single(new NamespaceGraph(typeof(NamespaceTests).Assembly.Location).Cycles());
        Assert.Equal([typeof(Circle.First.One).Namespace!, typeof(Circle.Second.Two).Namespace!], cycle);
    }

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
