using System.IO.Compression;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using NestQuant.RuntimeOps;
using NestQuant.RuntimeOps.Kernels;
using NestQuant.RuntimeOps.Kernels.Tiers;
using NestQuant.TestSupport;

namespace NestQuant.Packaging.Tests;

[Collection(PackagesTests.Name)]
public sealed class PackageTests(PackagesFixture packages)
{
    private static readonly string Model = Path.Combine(Checkout.Root, "golden-models", "digits-cnn.onnx");

    [SkippableFact]
    public void What_people_install_is_packed_and_nothing_else()
    {
        string[] expected =
        [
            "NestQuant.Compiler", "NestQuant.Data", "NestQuant.Evaluation", "NestQuant.Onnx", "NestQuant.Passes", "NestQuant.RuntimeOps",
            "nestquant", "nestquant." + PackagesFixture.Runtime
        ];
        if (packages.HasNativePackage) expected = [.. expected, "NestQuant.RuntimeOps.Native"];
        Assert.Equal(expected.Order(StringComparer.Ordinal), Ids("*.nupkg"));
        // The tool brings its symbols along, and the native library has none.
        Assert.Equal(
            expected.Where(id => id[0] == 'N' && id != "NestQuant.RuntimeOps.Native").Order(StringComparer.Ordinal), Ids("*.snupkg"));
    }

    [SkippableFact]
    public void Every_package_has_a_readme_an_icon_a_licence_a_description_and_tags()
    {
        foreach (string path in Directory.EnumerateFiles(packages.Packages, "*.nupkg"))
        {
            using ZipArchive package = ZipFile.OpenRead(path);
            Assert.NotNull(package.GetEntry("README.md"));
            Assert.NotNull(package.GetEntry("icon.png"));
            ZipArchiveEntry description = package.Entries.Single(entry => entry.Name.EndsWith(".nuspec", StringComparison.Ordinal));
            using StreamReader reader = new(description.Open());
            string nuspec = reader.ReadToEnd();
            Assert.Contains("<license type=\"expression\">MIT</license>", nuspec, StringComparison.Ordinal);
            Assert.Contains("<tags>onnx ", nuspec, StringComparison.Ordinal);
            Assert.Contains("<description>", nuspec, StringComparison.Ordinal);
        }
    }

    [SkippableFact]
    public void A_pass_of_ones_own_runs_in_the_pipeline_and_the_model_at_both_precisions_and_on_an_older_framework()
    {
        string folder = packages.CreateFolder("own-pass");
        ProgramResult program = packages.Dotnet(folder, packages.Scratch, Model, "nested.onnx");
        string[] lines = program.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.StartsWith("8: ", lines[0], StringComparison.Ordinal);
        Assert.StartsWith("6: ", lines[1], StringComparison.Ordinal);
        Assert.NotEqual(lines[0][3..], lines[1][3..]);
        Assert.Equal("renamed", Onnx.Files.ModelFile.Load(Path.Combine(folder, "nested.onnx")).Graph!.Name);

        string device = packages.CreateFolder("device");
        foreach (string file in Directory.EnumerateFiles(Path.Combine(AppContext.BaseDirectory, "Device")))
            File.Copy(file, Path.Combine(device, Path.GetFileName(file)));
        packages.Dotnet(device, "build", "-o", "bin", "--nologo", "-v", "q");
        Assert.Equal(lines[0], packages.Dotnet(folder, Path.Combine(device, "bin", "Device.dll"), "nested.onnx").Output.TrimEnd());
    }

    /// <summary>The program is not published for a runtime, and yet finds the code of its own in the package.</summary>
    [SkippableFact]
    public void Next_to_none_of_the_operators_methods_are_compiled_at_run_time()
    {
        Skip.If(RuntimeInformation.ProcessArchitecture == Architecture.X64 && !Avx2.IsSupported, "code for x64 needs AVX2");
        string folder = packages.CreateFolder("compiled-methods");
        Dictionary<string, string> environment = new(packages.Surroundings)
        {
            ["DOTNET_JitStdOutFile"] = Path.Combine(folder, "compiled.txt"),
            ["DOTNET_JitDisasmSummary"] = "1",
            // Methods with instructions beyond AVX2 are compiled when they are first called; leave them out, wherever this runs.
            ["DOTNET_EnableAVX512"] = "0",
            [TierSelection.EnvironmentVariable] = Avx2.IsSupported ? TierNames.Avx2 : "",
        };
        Programs.Run(folder, environment, "dotnet", packages.Scratch, Model, "nested.onnx").Succeeded();
        string[] compiled = File.ReadAllLines(environment["DOTNET_JitStdOutFile"]);
        Assert.Contains(compiled, static line => line.Contains("RenamePass:Run", StringComparison.Ordinal));
        // Methods that were called often are compiled again.
        string[] ours =
        [
            .. compiled.Where(static line => line.Contains("compiled NestQuant.RuntimeOps.", StringComparison.Ordinal)
                && !line.Contains("Tier1", StringComparison.Ordinal)),
        ];
        Assert.True(ours.Length <= 10, $"{ours.Length} methods:\n{string.Join('\n', ours)}");
    }

    [SkippableFact]
    public void The_library_path_is_that_of_the_native_package()
    {
        string path = packages.NativeLibrary;
        string found = packages.Dotnet(packages.CreateFolder("library-path"), packages.Scratch, "library-path").Output.Trim();
        Assert.Equal(File.ReadAllBytes(path), File.ReadAllBytes(found));
    }

    [SkippableFact]
    public void The_tool_is_installed_compiles_and_verifies()
    {
        string folder = packages.CreateFolder("tool-run");
        string tool = Path.Combine(packages.Tool, "nestquant");
        Programs.Run(folder, packages.Surroundings, tool, "compile", Model, "-o", "out/digits.onnx", "--nest", "8:6").Succeeded();
        Programs.Run(folder, packages.Surroundings, tool, "verify", "out/digits.onnx").Succeeded();
    }

    // All packages have one version, and the assemblies theirs from it.
    private static string Version { get; } = typeof(NestQuantOps).Assembly.GetName().Version!.ToString(fieldCount: 3);

    private IEnumerable<string> Ids(string pattern) =>
        Directory.EnumerateFiles(packages.Packages, pattern)
            .Select(path => Path.GetFileNameWithoutExtension(path).Replace($".{Version}", "", StringComparison.Ordinal))
            .Order(StringComparer.Ordinal);
}
