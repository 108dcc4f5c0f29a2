using Google.Protobuf;
using NestQuant.Onnx.Files;

namespace NestQuant.Onnx.Tests;

public sealed class CloneTests
{
    [Fact]
    public void ACloneHasTheSameBytesWhateverTheModelHolds()
    {
        for (int seed = 0; seed < 200; seed++)
        {
            ModelProto model = ModelCodec.Read(new RandomMessage(seed).Model().ToByteArray());
            byte[] bytes = ModelFile.ToBytes(model);
            Assert.Equal(bytes, ModelFile.ToBytes(model.Clone()));
            Assert.Equal(bytes, ModelFile.ToBytes(model));
        }
    }

    [Fact]
    public void WhatIsDoneToACloneIsNotSeenInTheModel()
    {
        ModelProto model = Sample.Linear();
        byte[] bytes = ModelFile.ToBytes(model);
        ModelProto clone = model.Clone();
        clone.MetadataProps.Add(new StringStringEntryProto("key", "value"));
        clone.OpsetImport[0].Version = 18;
        clone.Graph!.Node[0].OpType = "Other";
        clone.Graph.Node[1].Input[0] = "other";
        clone.Graph.Input[0].Type!.TensorType!.Shape!.Dim[0].DimValue = 7;
        clone.Graph.Initializer[0].Name = "other";
        clone.Graph.Initializer[0].Dims[0] = 7;
        clone.Graph.Initializer[1].RawData = new byte[16];
        clone.Graph.Initializer.RemoveAt(0);
        Assert.Equal(bytes, ModelFile.ToBytes(model));
    }

    [Fact]
    public void TypedValuesOfACloneAreItsOwn()
    {
        var tensor = new TensorProto { Name = "t", DataType = TensorDataType.Float };
        tensor.Dims.Add(2);
        tensor.FloatData.AddRange([1, 2]);
        ModelProto model = Sample.Linear();
        model.Graph!.Initializer.Add(tensor);
        TensorProto clone = model.Clone().Graph!.Initializer[^1];
        clone.RawData = new byte[8];
        Assert.Equal([1, 2], tensor.FloatData);
    }

    [Fact]
    public void RawContentIsSharedAndGroupsAreKept()
    {
        ModelProto model = Sample.Linear();
        TensorProto weight = model.Graph!.Initializer[0];
        weight.ExternalGroup = "high";
        TensorProto clone = model.Clone().Graph!.Initializer[0];
        Assert.True(weight.RawData!.Value.Span.Overlaps(clone.RawData!.Value.Span));
        Assert.Equal("high", clone.ExternalGroup);
    }
}
