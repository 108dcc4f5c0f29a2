using Google.Protobuf;
using Microsoft.ML.OnnxRuntime;
using NestQuant.Onnx.Files;
using NestQuant.TestSupport;

namespace NestQuant.Onnx.Tests.Files;

/// <summary>A model beyond the 2 GB that one protobuf message can hold. Its weights are zeros: untouched memory and sparse files.</summary>
public sealed class LargeModelTests : IDisposable
{
    private const int TensorBytes = 768 << 20;
    private const int Tensors = 3;
    private const long TotalBytes = (long)TensorBytes * Tensors;

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [SkippableFact]
    public void WeightsOverTwoGigabytesAreSavedLoadedAndSavedAgain()
    {
        SkipUnlessSparse();
        var path = _folder.File("large.onnx");
        var allocated = GC.GetAllocatedBytesForCurrentThread();
        var files = ModelFile.Save(Large(), path);

        // Nothing in the model asks for external data; its size does.
        Assert.Equal(
            [("large.onnx.data", TotalBytes), ("large.onnx", files[1].Bytes)], files.Select(f => (Path.GetFileName(f.Path), f.Bytes)));
        using (var options = new SessionOptions { GraphOptimizationLevel = GraphOptimizationLevel.ORT_DISABLE_ALL })
        using (var session = new InferenceSession(path, options))
            Assert.Equal(["y"], session.OutputNames);

        var loaded = ModelFile.Load(path);
        Assert.Equal(TotalBytes, loaded.Graph!.Initializer.Sum(t => t.ByteCount));
        LoadTests.AssertRefused(() => ModelFile.ToBytes(loaded), "exceeds 2 GB");
        LoadTests.AssertRefused(
            () =>
                ModelFile.Save(
                    loaded, _folder.File("inside.onnx"), new SaveOptions { ExternalData = ExternalDataMode.Never }), "exceeds 2 GB");

        // The same file as one single tensor, which no memory of .NET can hold: saving still copies it.
        File.WriteAllBytes(path, AsOneTensor(path));
        var one = ModelFile.Load(path);
        LoadTests.AssertRefused(() => one.Graph!.Initializer[0].GetBytes(), "over 2 GB");
        ModelFile.Save(one, _folder.File("copy.onnx"));
        using var copy = File.OpenRead(_folder.File("copy.onnx.data"));
        Assert.Equal(TotalBytes, copy.Length);
        copy.Position = TensorBytes - 1;
        Assert.Equal(1, copy.ReadByte());

        allocated = GC.GetAllocatedBytesForCurrentThread() - allocated;
        Assert.True(allocated < TotalBytes + (64 << 20), "Content is copied in chunks: only the source's own arrays count.");
    }

    private static ModelProto Large()
    {
        var model = new ModelProto { IrVersion = 8, Graph = new GraphProto { Name = "large" } };
        model.OpsetImport.Add(new OperatorSetIdProto { Version = 17 });
        for (var i = 0; i < Tensors; i++)
        {
            var bytes = new byte[TensorBytes];
            bytes[^1] = (byte)(i + 1); // equal tensors would be stored once
            model.Graph.Initializer.Add(TensorProto.FromBytes($"w{i}", TensorDataType.UInt8, [TensorBytes], bytes));
        }

        model.Graph.Node.Add(Sample.Node("Shape", ["w0"], ["y"]));
        var output = Sample.Value("y", 1);
        output.Type!.TensorType!.ElemType = TensorDataType.Int64;
        model.Graph.Output.Add(output);
        return model;
    }

    private static byte[] AsOneTensor(string path)
    {
        var model = Reference.ModelProto.Parser.ParseFrom(File.ReadAllBytes(path));
        while (model.Graph.Initializer.Count > 1)
            model.Graph.Initializer.RemoveAt(1);
        var tensor = model.Graph.Initializer[0];
        tensor.Dims[0] = TotalBytes;
        tensor.ExternalData.Single(e => e.Key == "length").Value = $"{TotalBytes}";
        return model.ToByteArray();
    }

    private void SkipUnlessSparse()
    {
        var drive = new DriveInfo(_folder.Path);
        var free = drive.AvailableFreeSpace;
        Skip.If(free < TotalBytes, "needs 2.3 GB of free disk, though it uses next to none");
        using (var file = File.Create(_folder.File("probe")))
            file.SetLength(TotalBytes);
        Skip.If(free - drive.AvailableFreeSpace > TotalBytes / 2, "needs a file system with sparse files");
        File.Delete(_folder.File("probe"));
    }
}
