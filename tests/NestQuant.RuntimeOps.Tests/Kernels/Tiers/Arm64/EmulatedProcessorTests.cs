using System.Runtime.InteropServices;
using NestQuant.TestSupport;

namespace NestQuant.RuntimeOps.Tests.Kernels.Tiers.Arm64;

/// <summary>Tests of kernels once more, in a .NET for arm64 that qemu-user executes: there the instructions are real ones.</summary>
public class EmulatedProcessorTests
{
    private const int NotInstalled = 3;

    // All that neondot computes; neon differs from it in the product only.
    private const string Filter =
        "FullyQualifiedName~Arm64.InstructionTests|FullyQualifiedName~KernelTierTests"
        + "|(FullyQualifiedName~NestedConvolutionTests&DisplayName~\"neondot\")"
        + "|(FullyQualifiedName~NestedConvolutionTests.Equals_the_definition&DisplayName~\"neon\")";

    [SkippableFact]
    public void The_kernels_pass_their_tests_on_an_arm64_processor()
    {
        Skip.IfNot(OperatingSystem.IsLinux() && RuntimeInformation.OSArchitecture == Architecture.X64, "emulates arm64 on Linux on x64");
        string run = Path.Combine(Checkout.Root, "tests", "arm64", "run");
        ProgramResult result = Programs.Run(run, "--tests", typeof(EmulatedProcessorTests).Assembly.Location, Filter);
        Skip.If(result.ExitCode == NotInstalled, result.Error.Trim());
        string output = result.Succeeded().Output;
        // What has skipped there, or was not found, has not passed.
        Assert.All(
            (string[])[
                "Tiers.Arm64.InstructionTests.The_dot_product_adds_four_products",
                "Convolutions.NestedConvolutionTests.Equals_the_definition_bit_for_bit(tier: \"neon\")",
                "Convolutions.NestedConvolutionTests.Equals_the_definition_bit_for_bit(tier: \"neondot\")"
            ],
            test => Assert.Contains($"Passed NestQuant.RuntimeOps.Tests.Kernels.{test}", output, StringComparison.Ordinal));
    }
}
