using NestQuant.Onnx.Files;

namespace NestQuant.Onnx.Tests;

/// <summary>Small models made through the library's own classes.</summary>
internal static class Sample
{
    /// <summary>y = x @ w + b with w [256, 4] and b [4], as bytes.</summary>
    public static byte[] Model() => ModelFile.ToBytes(Linear());

    /// <summary>y = x @ w + b with w [256, 4] and b [4].</summary>
    public static ModelProto Linear()
    {
        var model = new ModelProto { IrVersion = 8, ProducerName = "sample", Graph = new GraphProto { Name = "linear" } };
        model.OpsetImport.Add(new OperatorSetIdProto { Domain = "", Version = 17 });
        model.Graph.Input.Add(Value("x", 1, 256));
        model.Graph.Output.Add(Value("y", 1, 4));
        model.Graph.Initializer.Add(TensorProto.FromFloats("w", [256, 4], [.. Enumerable.Range(0, 1024).Select(i => (i % 37) - 18f)]));
        model.Graph.Initializer.Add(TensorProto.FromFloats("b", [4], [1, 2, 3, 4]));
        model.Graph.Node.Add(Node("MatMul", ["x", "w"], ["m"]));
        model.Graph.Node.Add(Node("Add", ["m", "b"], ["y"]));
        return model;
    }

    public static NodeProto Node(string opType, string[] inputs, string[] outputs, params AttributeProto[] attributes)
    {
        var node = new NodeProto { OpType = opType };
        node.Input.AddRange(inputs);
        node.Output.AddRange(outputs);
        node.Attribute.AddRange(attributes);
        return node;
    }

    public static ValueInfoProto Value(string name, params long[] shape)
    {
        var dims = new TensorShapeProto();
        dims.Dim.AddRange(shape.Select(s => new TensorShapeProto.Dimension { DimValue = s }));
        return new ValueInfoProto
        {
            Name = name,
            Type = new TypeProto { TensorType = new TypeProto.Tensor { ElemType = TensorDataType.Float, Shape = dims } },
        };
    }
}
