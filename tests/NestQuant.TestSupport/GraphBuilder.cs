using NestQuant.Onnx;

namespace NestQuant.TestSupport;

/// <summary>
/// Writes small graphs for tests, one line per node: <c>"name: y, mask = domain.Op(x, , W)"</c>, where the name and the domain may be left
/// out.
/// </summary>
public sealed class GraphBuilder(string name = "test")
{
    private int _seed = 1;

    public GraphProto Graph { get; } = new() { Name = name };

    /// <summary>Adds a float input; a dimension of -1 is the symbol <c>batch</c>.</summary>
    public GraphBuilder Input(string value, params long[] dims) => Input(TensorDataType.Float, value, dims);

    public GraphBuilder Input(TensorDataType type, string value, params long[] dims)
    {
        Graph.Input.Add(Value(type, value, dims));
        return this;
    }

    /// <summary>Adds outputs without types: ONNX Runtime infers them.</summary>
    public GraphBuilder Output(params string[] values)
    {
        Graph.Output.AddRange(values.Select(static value => new ValueInfoProto { Name = value }));
        return this;
    }

    public GraphBuilder Node(string text, params AttributeProto[] attributes)
    {
        Graph.Node.Add(Parse(text, attributes));
        return this;
    }

    public GraphBuilder Constant(TensorProto tensor)
    {
        Graph.Initializer.Add(tensor);
        return this;
    }

    public GraphBuilder Floats(string value, long[] dims, params float[] values) => Constant(TensorProto.FromFloats(value, dims, values));

    public GraphBuilder Int64s(string value, params long[] values) => Constant(TensorProto.FromInt64s(value, [values.Length], values));

    /// <summary>Adds a float initializer with seeded values in [-1, 1); every call has its own seed.</summary>
    public GraphBuilder Random(string value, params long[] dims)
    {
        var random = new Random(_seed++);
        var values = new float[dims.Aggregate(1L, static (product, dim) => product * dim)];
        for (int i = 0; i < values.Length; i++) values[i] = (random.NextSingle() * 2) - 1;
        return Floats(value, dims, values);
    }

    public ModelProto Model(long opset = 17, long irVersion = 8, params string[] domains)
    {
        var model = new ModelProto { IrVersion = irVersion, Graph = Graph };
        model.OpsetImport.Add(new OperatorSetIdProto { Domain = "", Version = opset });
        foreach (string domain in domains) model.OpsetImport.Add(new OperatorSetIdProto { Domain = domain, Version = 1 });
        return model;
    }

    public static NodeProto Parse(string text, params AttributeProto[] attributes)
    {
        var node = new NodeProto();
        int colon = text.IndexOf(": ", StringComparison.Ordinal);
        if (colon >= 0)
        {
            node.Name = text[..colon];
            text = text[(colon + 2)..];
        }

        string[] sides = text.Split(" = ");
        int open = sides[1].IndexOf('(', StringComparison.Ordinal);
        string op = sides[1][..open], inputs = sides[1][(open + 1)..^1];
        int dot = op.LastIndexOf('.');
        node.OpType = op[(dot + 1)..];
        if (dot >= 0) node.Domain = op[..dot];
        node.Output.AddRange(sides[0].Split(',', StringSplitOptions.TrimEntries));
        if (inputs.Length > 0) node.Input.AddRange(inputs.Split(',', StringSplitOptions.TrimEntries));
        node.Attribute.AddRange(attributes);
        return node;
    }

    public static ValueInfoProto Value(TensorDataType type, string name, params long[] dims)
    {
        var shape = new TensorShapeProto();
        foreach (long dim in dims)
            shape.Dim.Add(
                dim < 0 ? new TensorShapeProto.Dimension { DimParam = "batch" } : new TensorShapeProto.Dimension { DimValue = dim });
        return new ValueInfoProto
        {
            Name = name,
            Type = new TypeProto { TensorType = new TypeProto.Tensor { ElemType = type, Shape = shape } },
        };
    }
}
