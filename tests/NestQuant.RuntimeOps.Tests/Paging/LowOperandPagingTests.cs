using System.Globalization;
using Microsoft.ML.OnnxRuntime;
using NestQuant.Onnx;
using NestQuant.Onnx.Files;
using NestQuant.RuntimeOps.Kernels;
using NestQuant.RuntimeOps.Packing;
using NestQuant.RuntimeOps.Schema;
using NestQuant.RuntimeOps.Tests.Kernels;
using NestQuant.RuntimeOps.Tests.Operators;
using NestQuant.TestSupport;

namespace NestQuant.RuntimeOps.Tests.Paging;

public sealed class LowOperandPagingTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("nestquant-paging-");

    public void Dispose() => _folder.Delete(recursive: true);

    [SkippableFact]
    public void The_low_file_is_resident_only_at_full_precision()
    {
        Skip.IfNot(OperatingSystem.IsLinux(), "reads /proc/self/smaps");
        ConvolutionCase full = Case(isPart: false);
        ConvolutionCase part = Case(isPart: true);
        using InferenceSession session = Open(full);

        // The page with the trailer, and of those around it what the page cache has.
        Assert.Equal(part.Expected(), Run(session, full, 6));
        Assert.InRange(ResidentLowKilobytes(), 4, 64);

        Assert.Equal(full.Expected(), Run(session, full, 8));
        Assert.InRange(ResidentLowKilobytes(), full.LowBytes.Length / 1024, long.MaxValue);

        Assert.Equal(part.Expected(), Run(session, full, 6));
        Assert.InRange(ResidentLowKilobytes(), 0, 8);

        Assert.Equal(full.Expected(), Run(session, full, 8));
    }

    [SkippableFact]
    public void Of_several_steps_those_of_the_level_are_resident()
    {
        Skip.IfNot(OperatingSystem.IsLinux(), "reads /proc/self/smaps");
        NestedBits bits = new(8, 6, 4, 2);
        using InferenceSession session = Open(Case(bits, 8));
        foreach (int level in new[] { 8, 4, 6, 2, 8, 6 })
        {
            ConvolutionCase c = Case(bits, level);
            Assert.Equal(c.Expected(), Run(session, c, level));
            for (int step = 1; step < bits.Count; step++)
            {
                int reached = bits.LevelOfStep(step);
                long resident = ResidentKilobytes($"w.low.{reached}.bin");
                if (reached <= level)
                    Assert.InRange(resident, c.Operands[step].Length / 1024, long.MaxValue);
                else
                    Assert.InRange(resident, 0, 8);
            }
        }
    }

    [Fact]
    public void Low_operands_in_ordinary_memory_keep_their_values()
    {
        ConvolutionCase full = Case(isPart: false);
        using InferenceSession session = NestedModels.Gemm(full, 2, 1024).Open();
        for (int i = 0; i < 2; i++)
        {
            Run(session, full, 6);
            Assert.Equal(full.Expected(), Run(session, full, 8));
        }
    }

    [Fact]
    public void Threads_that_switch_while_others_run_get_right_results()
    {
        ConvolutionCase full = Case(isPart: false);
        float[] expectedFull = full.Expected();
        float[] expectedPart = Case(isPart: true).Expected();
        using InferenceSession session = Open(full);
        Parallel.For(0, 60, new ParallelOptions { MaxDegreeOfParallelism = 4 }, i =>
            Assert.Equal(i % 2 == 0 ? expectedPart : expectedFull, Run(session, full, i % 2 == 0 ? 6 : 8)));
    }

    private static ConvolutionCase Case(bool isPart) =>
        Case(new NestedBits(8, 6), isPart ? 6 : 8);

    private static ConvolutionCase Case(NestedBits bits, int level) =>
        new(new ConvolutionGeometry(1, ConvolutionAxis.Single, ConvolutionAxis.Rows(2), 1, 1024, 256), bits, 3, 0, level);

    private static float[] Run(InferenceSession session, ConvolutionCase c, int bits) =>
        session.Run(("X", SessionRuns.Tensor(c.X, 2, 1024)), ("bits", SessionRuns.Tensor<int>([bits]))).Data;

    private InferenceSession Open(ConvolutionCase c)
    {
        ModelProto model = NestedModels.Gemm(c, 2, 1024).Build();
        model.Graph!.Initializer.First(t => t.Name == "W_high").ExternalGroup = "high";
        NestedBits bits = c.Layout.Bits;
        for (int step = 1; step < bits.Count; step++)
        {
            model.Graph.Initializer.First(t => t.Name == InputNames.WeightStep(step)).ExternalGroup =
                bits.Count == 2 ? "low" : $"low.{bits.LevelOfStep(step)}";
        }

        string path = Path.Combine(_folder.FullName, "w.onnx");
        ModelFile.Save(model, path);
        foreach (string file in Directory.EnumerateFiles(_folder.FullName, "w.low*.bin").ToArray())
            WriteInPages(file);
        using SessionOptions options = NodeModel.Options(1);
        return new InferenceSession(path, options);
    }

    /// <summary>
    /// Writes a file again page by page. Linux keeps what one call writes in few large pieces (folios) and maps a whole piece when one of
    /// its pages is touched; in single pages it maps 64 KiB around the touched one at most, whatever the file system and the version of the
    /// kernel.
    /// </summary>
    private static void WriteInPages(string path)
    {
        byte[] content = File.ReadAllBytes(path);
        File.Delete(path);
        using FileStream file = new(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 0);
        foreach (byte[] page in content.Chunk(Environment.SystemPageSize))
        {
            file.Write(page);
        }
    }

    private long ResidentLowKilobytes() => ResidentKilobytes("w.low.bin");

    private long ResidentKilobytes(string file)
    {
        long resident = 0;
        bool found = false;
        bool inside = false;
        foreach (string line in File.ReadLines("/proc/self/smaps"))
        {
            if (char.IsAsciiHexDigit(line[0]) && line.Contains('-', StringComparison.Ordinal))
            {
                inside = line.Contains(Path.Combine(_folder.Name, file), StringComparison.Ordinal);
                found |= inside;
            }
            else if (inside && line.StartsWith("Rss:", StringComparison.Ordinal))
            {
                resident += long.Parse(
                    line.AsSpan(4, line.Length - 6),
                    NumberStyles.AllowLeadingWhite | NumberStyles.AllowTrailingWhite,
                    CultureInfo.InvariantCulture);
            }
        }

        Assert.True(found, $"ONNX Runtime has not mapped {file}");
        return resident;
    }
}
