using System.Globalization;
using System.Text;
using NestQuant.TestSupport;

namespace NestQuant.Packaging.Tests;

/// <summary>All documents' samples.</summary>
internal static class DocumentedSamples
{
    /// <summary>Every sample, document after document.</summary>
    public static IReadOnlyList<DocumentedSample> All { get; } = [.. Documents().SelectMany(ReadSamples)];

    /// <summary>Writes the C# samples as one source file, each a method with its own file-scoped names.</summary>
    public static void WriteSources(string folder)
    {
        StringBuilder dispatch = new("internal static class Samples\n{\n    public static Task Run(int number) => number switch\n    {\n");
        for (int number = 0; number < All.Count; number++)
        {
            if (All[number] is not { Language: DocumentedSample.CSharp, NotRun: null } sample) continue;
            string[] usings = [.. sample.Text.TakeWhile(line => line.Length == 0 || IsUsingDirective(line))];
            string name = string.Create(CultureInfo.InvariantCulture, $"Sample{number}");
            File.WriteAllText(Path.Combine(folder, name + ".cs"), $$"""
                {{string.Join('\n', usings)}}
                internal static class {{name}}
                {
                    public static async Task Run()
                    {
                        await Task.CompletedTask;
                #line {{sample.Line + 1 + usings.Length}} "{{sample.Document}}"
                {{string.Join('\n', sample.Text.Skip(usings.Length))}}
                    }
                }

                """);
            dispatch.Append(CultureInfo.InvariantCulture, $"        {number} => {name}.Run(),\n");
        }

        dispatch.Append("        _ => throw new ArgumentOutOfRangeException(nameof(number)),\n    };\n}\n");
        File.WriteAllText(Path.Combine(folder, "Samples.cs"), dispatch.ToString());
    }

    // "using var x" and "using SessionOptions x" are statements.
    private static bool IsUsingDirective(string line) =>
        line.StartsWith("using ", StringComparison.Ordinal) && line.EndsWith(';') && !line.Contains('=') && !line.Contains('(');

    private static IEnumerable<DocumentedSample> ReadSamples(string document) =>
        DocumentedSample.In(document, File.ReadAllLines(Path.Combine(Checkout.Root, document)));

    private static IEnumerable<string> Documents() =>
        new[] { ".", "docs", "packaging", "runtime-ops", "golden-models", "examples" }
            .Concat(Examples.Folders)
            .SelectMany(folder => Directory.EnumerateFiles(Path.Combine(Checkout.Root, folder), "*.md"))
            .Select(path => Path.GetRelativePath(Checkout.Root, path))
            .Order(StringComparer.Ordinal);
}
