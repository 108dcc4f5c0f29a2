using System.IO.Compression;
using System.Reflection;
using System.Runtime.InteropServices;
using NestQuant.TestSupport;

namespace NestQuant.Packaging.Tests;

/// <summary>
/// What an integrator starts from: the packages, packed once per test run, in a folder outside of the checkout where nothing but they and
/// the ordinary registry is known.
/// </summary>
public sealed class PackagesFixture : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("nestquant-packages-");
    private readonly Lazy<string> _packages;
    private readonly Lazy<string> _tool;
    private readonly Lazy<string> _scratch;
    private readonly Lazy<string> _arm64Native;

    /// <summary>Packs nothing yet.</summary>
    public PackagesFixture()
    {
        _packages = new Lazy<string>(Pack);
        _tool = new Lazy<string>(InstallTool);
        _scratch = new Lazy<string>(BuildScratch);
        _arm64Native = new Lazy<string>(PublishArm64Native);
    }

    /// <summary>The runtime that this process is.</summary>
    public static string Runtime => RuntimeInformation.RuntimeIdentifier;

    /// <summary>The folder of ONNX Runtime's package.</summary>
    public static string OnnxRuntimePackage =>
        typeof(PackagesFixture).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>()
            .Single(attribute => attribute.Key == nameof(OnnxRuntimePackage)).Value!;

    /// <summary>The folder of the packages.</summary>
    public string Packages => _packages.Value;

    /// <summary>The folder with the installed tool.</summary>
    public string Tool => _tool.Value;

    /// <summary>The scratch program, built from packages only.</summary>
    public string Scratch => _scratch.Value;

    /// <summary>The unpacked package of the native library; skips the test where it has not been packed.</summary>
    public string NativePackage => UnpackNative();

    /// <summary>The same for arm64, as far as hosts need it, built by the cross tool chain; skips the test where there is none.</summary>
    public string Arm64NativePackage => _arm64Native.Value;

    /// <summary>The native library out of its package.</summary>
    public string NativeLibrary => Path.Combine(NativePackage, "runtimes", Runtime, "native", "libnestquant_ops.so");

    /// <summary>The folder of the native package's C header.</summary>
    public string NativeInclude => Path.Combine(NativePackage, "build", "native", "include");

    /// <summary>The environment of an integrator: a package cache of its own, and the tool's folder on the PATH.</summary>
    internal IReadOnlyDictionary<string, string> Surroundings => new Dictionary<string, string>
    {
        ["NUGET_PACKAGES"] = Path.Combine(_folder.FullName, "cache"),
        ["PATH"] = Path.Combine(_folder.FullName, "tool") + Path.PathSeparator + Environment.GetEnvironmentVariable("PATH"),
        // The .NET 8 program runs where only a later .NET is installed.
        ["DOTNET_ROLL_FORWARD"] = "Major",
    };

    /// <summary>Creates a folder below that of the packages' configuration.</summary>
    public string CreateFolder(string name) => _folder.CreateSubdirectory(name).FullName;

    /// <inheritdoc/>
    public void Dispose() => _folder.Delete(recursive: true);

    /// <summary>Runs the .NET command in a folder, as an integrator.</summary>
    internal ProgramResult Dotnet(string folder, params IEnumerable<string> arguments) =>
        Programs.Run(folder, Surroundings, "dotnet", arguments).Succeeded();

    /// <summary>Compiles a program, the first time.</summary>
    /// <returns>Its path.</returns>
    internal string CompileOnce(string source, params IEnumerable<string> options)
    {
        string program = Path.Combine(_folder.FullName, Path.GetFileNameWithoutExtension(source));
        if (!File.Exists(program)) Programs.Run("c++", [source, "-o", program, .. options]).Succeeded();
        return program;
    }

    private string Pack()
    {
        Skip.If(OperatingSystem.IsWindows(), "./pack is a bash script");
        string packages = CreateFolder("packages");
        Programs.Run(Path.Combine(Checkout.Root, "pack"), "--only", Runtime, "--output", packages).Succeeded();
        File.WriteAllText(Path.Combine(_folder.FullName, "NuGet.config"), $"""
            <configuration>
              <packageSources>
                <add key="packed" value="{packages}" />
              </packageSources>
            </configuration>
            """);
        return packages;
    }

    private string InstallTool()
    {
        _ = Packages;
        string folder = Path.Combine(_folder.FullName, "tool");
        Dotnet(_folder.FullName, "tool", "install", "nestquant", "--tool-path", folder);
        return folder;
    }

    private string BuildScratch()
    {
        _ = Packages;
        string folder = CreateFolder("scratch");
        string sources = Path.Combine(AppContext.BaseDirectory, "Scratch");
        foreach (string file in Directory.EnumerateFiles(sources))
            File.Copy(file, Path.Combine(folder, Path.GetFileName(file)));
        DocumentedSamples.WriteSources(folder);
        string output = Path.Combine(folder, "bin");
        Dotnet(folder, "build", "Scratch.csproj", "-o", output, "--nologo", "-v", "q", $"-p:HasNativePackage={HasNativePackage}");
        return Path.Combine(output, "Scratch.dll");
    }

    internal bool HasNativePackage => Directory.EnumerateFiles(Packages, "NestQuant.RuntimeOps.Native.*.nupkg").Any();

    private string PublishArm64Native()
    {
        Skip.IfNot(Runtime == "linux-x64", "the library for arm64 is built on x64");
        foreach (string tool in new[] { "clang", "aarch64-linux-gnu-gcc" })
            Skip.IfNot(Programs.Has(tool), $"building the library for arm64 needs {tool}");
        string folder = CreateFolder("native-arm64");
        ProgramResult result = Programs.Run(
            "dotnet",
            "publish",
            Path.Combine(Checkout.Root, "runtime-ops", "NestQuant.RuntimeOps.Native"),
            "-c",
            "Release",
            "-r",
            "linux-arm64",
            "-o",
            Path.Combine(folder, "runtimes", "linux-arm64", "native"),
            "--artifacts-path",
            Path.Combine(Checkout.Root, "artifacts", "pack"),
            "-p:RunAnalyzers=false",
            "--disable-build-servers");
        Skip.If(result.Output.Contains("error NU110", StringComparison.Ordinal), "the package registry has no runtime for arm64");
        result.Succeeded();
        return folder;
    }

    private string UnpackNative()
    {
        Skip.IfNot(OperatingSystem.IsLinux(), "the native library is tested on Linux");
        Skip.IfNot(HasNativePackage, "packing the native library needs clang or gcc, and neither is installed");
        string folder = Path.Combine(_folder.FullName, "native");
        if (!Directory.Exists(folder))
            ZipFile.ExtractToDirectory(Directory.EnumerateFiles(Packages, "NestQuant.RuntimeOps.Native.*.nupkg").Single(), folder);
        return folder;
    }
}

/// <summary>Packed once for all classes of tests.</summary>
[CollectionDefinition(Name)]
public sealed class PackagesTests : ICollectionFixture<PackagesFixture>
{
    /// <summary>Name of the collection.</summary>
    public const string Name = "packages";
}
