using System.Globalization;
using Microsoft.ML.OnnxRuntime;
using NestQuant.Onnx;
using NestQuant.Onnx.Files;
using NestQuant.RuntimeOps.Kernels.Convolutions;
using NestQuant.RuntimeOps.Packing;
using NestQuant.RuntimeOps.Schema;
using NestQuant.RuntimeOps.Tests.Kernels.Convolutions;
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
        Assert.InRange(ResidentKilobytes("w.low.bin"), 4, 64);

        Assert.Equal(full.Expected(), Run(session, full, 8));
        Assert.InRange(ResidentKilobytes("w.low.bin"), full.LowBytes.Length / 1024, long.MaxValue);

        Assert.Equal(part.Expected(), Run(session, full, 6));
        Assert.Equal(0, ResidentKilobytes("w.low.bin"));

        Assert.Equal(full.Expected(), Run(session, full, 8));
    }

    [SkippableFact]
    public void The_file_of_a_step_is_resident_only_at_the_levels_that_need_it()
    {
        Skip.IfNot(OperatingSystem.IsLinux(), "reads /proc/self/smaps");
        ConvolutionCase[] levels = [.. Levels.Levels.Select(level => new ConvolutionCase(Geometry, Levels, 3, 0, level))];
        using InferenceSession session = Open(levels[0]);
        foreach (ConvolutionCase c in (ConvolutionCase[])[.. levels, .. levels.Reverse(), levels[1]])
        {
            Assert.Equal(c.Expected(), Run(session, c, c.Level));
            for (int step = 1; step < Levels.Count; step++)
            {
                long kilobytes = ResidentKilobytes(FileOf(Levels, step));
                if (Levels.LevelOfStep(step) <= c.Level)
                    Assert.InRange(kilobytes, c.Operands[step].Length / 1024, long.MaxValue);
                else
                    Assert.Equal(0, kilobytes);
            }
        }
    }

    [SkippableFact]
    public void Small_operands_of_one_page_of_a_file_are_resident_only_at_the_levels_that_need_them()
    {
        Skip.IfNot(OperatingSystem.IsLinux(), "reads /proc/self/smaps");
        ConvolutionGeometry small = new(1, ConvolutionAxis.Single, ConvolutionAxis.Rows(2), 1, 16, 32);
        ConvolutionCase[] levels = [.. Levels.Levels.Select(level => new ConvolutionCase(small, Levels, 3, 0, level))];
        using InferenceSession session = Open(levels[0], isOneFile: true);
        Assert.InRange(new FileInfo(Path.Combine(_folder.FullName, "w.low.bin")).Length, 1, Environment.SystemPageSize);
        foreach (ConvolutionCase c in (ConvolutionCase[])[.. levels, .. levels.Reverse(), levels[1]])
        {
            Assert.Equal(c.Expected(), Run(session, c, c.Level));
            int needed = Enumerable.Range(1, Levels.Count - 1).Count(step => Levels.LevelOfStep(step) <= c.Level);
            Assert.Equal(needed * Environment.SystemPageSize / 1024, ResidentKilobytes("w.low.bin"));
        }
    }

    [SkippableFact]
    public void A_table_brings_in_the_rows_that_are_asked_for()
    {
        Skip.IfNot(OperatingSystem.IsLinux(), "reads /proc/self/smaps");
        ConvolutionCase table = NestedGatherTests.Table(16384, 64, "8:6");
        using InferenceSession session = Open(NestedModels.Gather(table, TensorDataType.Int64, [64], 1), table.Layout.Bits);
        Gather(6);
        Gather(8);
        // Of the file's 384 KiB, what the page cache has around the row and around the trailer.
        Assert.InRange(ResidentKilobytes("w.low.bin"), 4, 128);
        Gather(6);
        Assert.InRange(ResidentKilobytes("w.low.bin"), 0, 8);
        Gather(8);
        Assert.InRange(ResidentKilobytes("w.low.bin"), 4, 128);

        void Gather(int bits) =>
            session.Run(("indices", SessionRuns.Tensor<long>([4000], 1)), ("bits", SessionRuns.Tensor<int>([bits])));
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

    private static NestedBits Levels => new(8, 6, 4, 2);

    private static ConvolutionGeometry Geometry => new(1, ConvolutionAxis.Single, ConvolutionAxis.Rows(2), 1, 1024, 256);

    private static ConvolutionCase Case(bool isPart) => new(Geometry, new NestedBits(8, 6), 3, 0, isPart);

    private static float[] Run(InferenceSession session, ConvolutionCase c, int bits) =>
        session.Run(("X", SessionRuns.Tensor(c.X, 2, c.X.Length / 2)), ("bits", SessionRuns.Tensor<int>([bits]))).Data;

    private InferenceSession Open(ConvolutionCase c, bool isOneFile = false) =>
        Open(NestedModels.Gemm(c, 2, c.X.Length / 2), c.Layout.Bits, isOneFile);

    private InferenceSession Open(NodeModel node, NestedBits bits, bool isOneFile = false)
    {
        ModelProto model = node.Build();
        model.Graph!.Initializer.First(t => t.Name == "W_high").ExternalGroup = "high";
        for (int step = 1; step < bits.Count; step++)
        {
            TensorProto low = model.Graph.Initializer.First(t => t.Name == InputNames.WeightStep(step));
            low.ExternalGroup = isOneFile ? "low" : GroupOf(bits, step);
        }

        string path = Path.Combine(_folder.FullName, "w.onnx");
        ModelFile.Save(model, path);
        foreach (string file in Directory.EnumerateFiles(_folder.FullName, "w.low*.bin").ToArray())
            WriteInPages(file);
        using SessionOptions options = NodeModel.Options(1);
        return new InferenceSession(path, options);
    }

    private static string GroupOf(NestedBits bits, int step) =>
        bits.Count == 2 ? "low" : string.Create(CultureInfo.InvariantCulture, $"low.{bits.LevelOfStep(step)}");

    private static string FileOf(NestedBits bits, int step) => $"w.{GroupOf(bits, step)}.bin";

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
