using System.Globalization;
using NestQuant.TestSupport;
using Xunit.Abstractions;

namespace NestQuant.Packaging.Tests;

[Collection(PackagesTests.Name)]
public sealed class DocumentedSampleTests(PackagesFixture packages, ITestOutputHelper log)
{
    public static TheoryData<string> Documents => [.. DocumentedSamples.All.Select(sample => sample.Document).Distinct()];

    [SkippableTheory]
    [MemberData(nameof(Documents))]
    public void The_samples_of_a_document_run_one_after_the_other(string document)
    {
        string folder = CreateReadersFolder(document);
        int run = 0;
        for (int number = 0; number < DocumentedSamples.All.Count; number++)
        {
            DocumentedSample sample = DocumentedSamples.All[number];
            if (sample.Document != document) continue;
            if (sample.NotRun is { } reason)
            {
                log.WriteLine($"{document}:{sample.Line} not run: {reason}");
                continue;
            }

            foreach (string program in sample.Needs)
                Skip.IfNot(Programs.Has(program), $"{document}:{sample.Line} needs {program}");
            ProgramResult result = sample.Language == DocumentedSample.CSharp
                ? Programs.Run(
                    folder, packages.Surroundings, "dotnet", packages.Scratch, "sample", number.ToString(CultureInfo.InvariantCulture))
                : Programs.Run(folder, packages.Surroundings, "bash", "-euo", "pipefail", "-c", sample.Commands);
            Assert.True(result.ExitCode == 0, $"{document}:{sample.Line}: exit code {result.ExitCode}\n{result.Output}{result.Error}");
            run++;
        }

        log.WriteLine($"{document}: {run} run");
    }

    /// <summary>
    /// A folder with what documents take for granted: the tool, packages, examples, golden models, a model and data by plain names.
    /// </summary>
    private string CreateReadersFolder(string document)
    {
        string folder = packages.CreateFolder("reader-" + document.Replace('/', '-'));
        string models = Path.Combine(Checkout.Root, "golden-models");
        File.CreateSymbolicLink(Path.Combine(folder, "nestquant"), Path.Combine(packages.Tool, "nestquant"));
        Directory.CreateSymbolicLink(Path.Combine(folder, "golden-models"), models);
        File.Copy(Path.Combine(models, "digits-cnn.onnx"), Path.Combine(folder, "model.onnx"));
        foreach (string name in new[] { "data.npy", "part-1.npy", "part-2.npy" })
            File.Copy(Path.Combine(models, "test-images.npy"), Path.Combine(folder, name));
        Examples.CopyTo(folder);
        DirectoryInfo artifacts = Directory.CreateDirectory(Path.Combine(folder, "artifacts"));
        Directory.CreateSymbolicLink(Path.Combine(artifacts.FullName, "packages"), packages.Packages);
        return folder;
    }
}
