using System.Security.Cryptography;
using NestQuant.Onnx.Files;
using NestQuant.Onnx.Text;
using NestQuant.TestSupport;

namespace NestQuant.Onnx.Tests.Files;

/// <summary>Saving lists the data files of a model with their hashes.</summary>
public sealed class DataFileListTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    /// <summary>Gaps between tensors, and holes in the place of zeros, count as the zeros that a reader of the file sees.</summary>
    [Fact]
    public void The_hash_is_that_of_the_file_as_it_is_read_holes_included()
    {
        ModelProto model = Sample.Linear();
        byte[] sparse = new byte[(5 << 20) + 3];
        sparse[0] = sparse[^1] = 1;
        model.Graph!.Initializer.Add(TensorProto.FromBytes("sparse", TensorDataType.UInt8, [sparse.Length], sparse));
        model.Graph.Initializer.Add(TensorProto.FromBytes("zeros", TensorDataType.UInt8, [3 << 20], new byte[3 << 20]));
        foreach (TensorProto tensor in model.Graph.Initializer)
            tensor.ExternalGroup = "high";

        ModelFile.Save(model, _folder.File("m.onnx"));

        DataFileEntry entry = Assert.Single(DataFileList.Of(ModelFile.Load(_folder.File("m.onnx")))!);
        Assert.Equal(Listed("m.high.bin"), entry);
        Assert.All(DataFileVerification.Of(_folder.File("m.onnx")).Files, file => Assert.Null(file.Problem));
    }

    [Fact]
    public void Every_model_lists_the_files_that_it_refers_to()
    {
        ModelProto full = Sample.Linear(), part = Sample.Linear();
        full.Graph!.Initializer[0].ExternalGroup = part.Graph!.Initializer[0].ExternalGroup = "high";
        full.Graph.Initializer[1].ExternalGroup = "low";
        ModelFile.Save(
            [
                new ModelToSave(full, _folder.File("d.onnx")),
                new ModelToSave(part, _folder.File("d.part.onnx"), new SaveOptions { ExternalStem = "d" })
            ]);

        Assert.Equal([Listed("d.high.bin"), Listed("d.low.bin")], DataFileList.Of(ModelFile.Load(_folder.File("d.onnx"))));
        Assert.Equal([Listed("d.high.bin")], DataFileList.Of(ModelFile.Load(_folder.File("d.part.onnx"))));
        Assert.Null(DataFileList.Of(full));
    }

    [Fact]
    public void The_list_follows_the_files()
    {
        ModelFile.Save(Sample.Linear(), _folder.File("m.onnx"), new SaveOptions { ExternalData = ExternalDataMode.Always });
        ModelProto loaded = ModelFile.Load(_folder.File("m.onnx"));
        Assert.Equal([Listed("m.onnx.data")], DataFileList.Of(loaded));

        ModelFile.Save(loaded, _folder.File("other.onnx"));
        Assert.Equal([Listed("other.onnx.data")], DataFileList.Of(ModelFile.Load(_folder.File("other.onnx"))));
        Assert.Null(DataFileList.Of(ModelFile.Load(ModelFile.ToBytes(loaded))));
        ModelFile.Save(loaded, _folder.File("inside.onnx"), new SaveOptions { ExternalData = ExternalDataMode.Never });
        Assert.Null(DataFileList.Of(ModelFile.Load(_folder.File("inside.onnx"))));

        // Where content is stored is no difference between models.
        Assert.True(ModelDiff.Compare(Sample.Linear(), loaded).IsEmpty);
    }

    private DataFileEntry Listed(string name)
    {
        byte[] content = File.ReadAllBytes(_folder.File(name));
        return new DataFileEntry(name, content.Length, Convert.ToHexStringLower(SHA256.HashData(content)));
    }
}
