using NestQuant.TestSupport;

namespace NestQuant.Packaging.Tests;

/// <summary>The native library for arm64 in ONNX Runtime for arm64, in a process that qemu-user emulates.</summary>
[Collection(PackagesTests.Name)]
public sealed class Arm64LibraryTests(PackagesFixture packages)
{
    // Depthwise and pointwise layers. With static activations nearly all is integers; ONNX Runtime's own float operators need not give the
    // same bits on another processor.
    private static readonly string Model = Path.Combine(Checkout.Root, "golden-models", "digits-mbv2.onnx");
    private static readonly string Images = Path.Combine(Checkout.Root, "golden-models", "test-images.npy");

    [SkippableFact]
    public void A_host_for_arm64_gives_the_bits_of_one_for_x64_by_the_tier_of_its_processor()
    {
        foreach (string program in new[] { "qemu-aarch64", "cmake", "cc" })
            Skip.IfNot(Programs.Has(program), $"a host for arm64 needs {program}");
        string folder = packages.CreateFolder("arm64");
        string[] arm64 =
        [
            $"-DNESTQUANT={packages.Arm64NativePackage}", "-DCMAKE_SYSTEM_NAME=Linux", "-DCMAKE_SYSTEM_PROCESSOR=aarch64",
            "-DCMAKE_C_COMPILER=aarch64-linux-gnu-gcc"
        ];
        WriteHost(folder);
        string host = BuildHost(folder, "x64", $"-DNESTQUANT={packages.NativePackage}");
        string arm64Host = BuildHost(folder, "arm64", arm64);
        Run("compile", Model, "-o", "model.onnx", "--nest", "8:6", "--calibrate", Images);

        string expected = Programs.Run(folder, packages.Surroundings, host, "model.onnx", "8", "6").Succeeded().Output;
        Assert.Contains("6 bits: ", expected, StringComparison.Ordinal);
        foreach ((string processor, string tier) in new[] { ("cortex-a76", "neondot"), ("cortex-a72", "neon") })
        {
            Dictionary<string, string> environment = new() { ["QEMU_CPU"] = processor };
            string emulator = Path.Combine(Checkout.Root, "tests", "arm64", "run");
            ProgramResult result = Programs.Run(folder, environment, emulator, arm64Host, "model.onnx", "8", "6").Succeeded();
            Assert.Equal(expected, result.Output);
            string[] plans = [.. result.Error.Split('\n').Where(line => line.Contains("] Nested", StringComparison.Ordinal))];
            Assert.Contains(plans, line => line.Contains($": {tier} gathered, 1x1", StringComparison.Ordinal));
            Assert.Contains(plans, line => line.Contains($": {tier} depthwise, 3x3", StringComparison.Ordinal));
            Assert.All(plans, line => Assert.Contains($": {tier} ", line, StringComparison.Ordinal));
        }

        void Run(params string[] arguments) =>
            Programs.Run(folder, packages.Surroundings, Path.Combine(packages.Tool, "nestquant"), arguments).Succeeded();
    }

    /// <summary>The example in C, with all digits of the outputs and a log that names tiers.</summary>
    private static void WriteHost(string folder)
    {
        Examples.CopyTo(folder);
        string path = Path.Combine(folder, "examples", "c", "host.c");
        string source = File.ReadAllText(path);
        foreach ((string old, string changed) in new[] { ("%.4f", "%a"), ("ORT_LOGGING_LEVEL_ERROR", "ORT_LOGGING_LEVEL_VERBOSE") })
        {
            Assert.Contains(old, source, StringComparison.Ordinal);
            source = source.Replace(old, changed, StringComparison.Ordinal);
        }

        File.WriteAllText(path, source);
    }

    private static string BuildHost(string folder, string name, params IEnumerable<string> options)
    {
        string output = Path.Combine(folder, name);
        string source = Path.Combine(folder, "examples", "c");
        Programs.Run("cmake", ["-S", source, "-B", output, $"-DONNXRUNTIME={PackagesFixture.OnnxRuntimePackage}", .. options]).Succeeded();
        Programs.Run("cmake", "--build", output).Succeeded();
        return Path.Combine(output, "host");
    }
}
