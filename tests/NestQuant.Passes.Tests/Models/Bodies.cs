using NestQuant.Onnx;
using NestQuant.TestSupport;

namespace NestQuant.Passes.Tests.Models;

/// <summary>Nodes with bodies: the graphs that a pass must look into.</summary>
internal static class Bodies
{
    /// <summary><c>y = If (c)</c>, where both branches may read any outer value. Adds the bool input c.</summary>
    public static GraphBuilder If(this GraphBuilder graph, string output, GraphBuilder then, GraphBuilder otherwise) => graph
        .Input(TensorDataType.Bool, "c")
        .Node($"{output} = If(c)", AttributeProto.Graph("then_branch", then.Graph), AttributeProto.Graph("else_branch", otherwise.Graph));

    /// <summary>
    /// <c>y = Loop (2, true, x)</c>: a body that makes <c>v_out</c> from <c>v</c>, which starts as <paramref name="initial"/>. The body's
    /// own inputs, condition and outputs are added here.
    /// </summary>
    public static GraphBuilder Loop(this GraphBuilder graph, string output, string initial, GraphBuilder body, params long[] shape)
    {
        body.Graph.Input.InsertRange(
            0,
            [
                GraphBuilder.Value(TensorDataType.Int64, "i"), GraphBuilder.Value(TensorDataType.Bool, "go"),
                GraphBuilder.Value(TensorDataType.Float, "v", shape)
            ]);
        body.Node("go_out = Identity(go)");
        body.Graph.Output.InsertRange(
            0, [GraphBuilder.Value(TensorDataType.Bool, "go_out"), GraphBuilder.Value(TensorDataType.Float, "v_out", shape)]);
        return graph
            .Constant(TensorProto.FromInt64s("trips", [], [2]))
            .Constant(TensorProto.FromBytes("always", TensorDataType.Bool, [], [1]))
            .Node($"{output} = Loop(trips, always, {initial})", AttributeProto.Graph("body", body.Graph));
    }

    /// <summary><c>y = Scan (xs)</c>: a body that makes <c>out</c> from the slice <c>in</c> of <paramref name="input"/>.</summary>
    public static GraphBuilder Scan(this GraphBuilder graph, string output, string input, GraphBuilder body, params long[] slice)
    {
        body.Graph.Input.Add(GraphBuilder.Value(TensorDataType.Float, "in", slice));
        body.Graph.Output.Add(GraphBuilder.Value(TensorDataType.Float, "out", slice));
        return graph.Node($"{output} = Scan({input})", AttributeProto.Graph("body", body.Graph), AttributeProto.Int("num_scan_inputs", 1));
    }
}
