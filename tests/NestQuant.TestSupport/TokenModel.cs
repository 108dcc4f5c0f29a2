using NestQuant.Onnx;
using NestQuant.Onnx.Files;

namespace NestQuant.TestSupport;

/// <summary>
/// A sentence encoder in small: states [batch, sequence, 4] of an embedding with 10 rows, of which row 0 is that of padding, their mean
/// [batch, 4], and a map [batch, 1, sequence, 4].
/// </summary>
public static class TokenModel
{
    private const int Rows = 10;

    /// <summary>Writes the model.</summary>
    /// <param name="path">Where to.</param>
    /// <param name="padding">All values of the row of padding.</param>
    /// <param name="error">Added to the row of token 7.</param>
    /// <param name="mask">Name of the mask.</param>
    public static string Write(string path, float padding, float error = 0, string mask = "attention_mask")
    {
        float[] table = [.. Enumerable.Range(0, Rows * 4).Select(i => i < 4 ? padding : MathF.Sin(i) + (i / 4 == 7 ? error : 0))];
        GraphBuilder graph = new GraphBuilder()
            .Input(TensorDataType.Int64, "input_ids", -1, 1)
            .Input(TensorDataType.Int64, mask, -1, 1)
            .Floats("T", [Rows, 4], table)
            .Int64s("last", -1)
            .Int64s("first", 1)
            .Node("states = Gather(T, input_ids)")
            .Node("m = Cast(" + mask + ")", AttributeProto.Int("to", (long)TensorDataType.Float))
            .Node("w = Unsqueeze(m, last)")
            .Node("real = Mul(states, w)")
            .Node("pooled = ReduceMean(real)", AttributeProto.IntList("axes", 1), AttributeProto.Int("keepdims", 0))
            .Node("map = Unsqueeze(states, first)")
            .Output("states", "pooled", "map");
        foreach (ValueInfoProto input in graph.Graph.Input)
            input.Type!.TensorType!.Shape!.Dim[1] = new TensorShapeProto.Dimension { DimParam = "sequence" };
        ModelFile.Save(graph.Model(), path);
        return path;
    }
}
