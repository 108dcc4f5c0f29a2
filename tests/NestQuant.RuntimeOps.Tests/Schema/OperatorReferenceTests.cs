using NestQuant.TestSupport;

namespace NestQuant.RuntimeOps.Tests.Schema;

public class OperatorReferenceTests
{
    private const string RewriteVariable = "NESTQUANT_WRITE_DOCS";
    private const int MaxWidth = 140;

    private static string File { get; } = Path.Combine(Checkout.Root, "docs", "operators.md");

    [Fact]
    public void The_page_is_what_the_schema_says()
    {
        string expected = OperatorReference.Write();
        if (Environment.GetEnvironmentVariable(RewriteVariable) == "1")
            System.IO.File.WriteAllText(File, expected);
        string actual = System.IO.File.Exists(File) ? System.IO.File.ReadAllText(File).ReplaceLineEndings("\n") : "";
        Assert.True(
            expected == actual,
            $"docs/operators.md is not what the schema says: run this test with {RewriteVariable}=1, and commit the page");
    }

    [Fact]
    public void Its_lines_are_not_too_long() =>
        Assert.All(OperatorReference.Write().Split('\n'), line => Assert.InRange(line.Length, 0, MaxWidth));
}
