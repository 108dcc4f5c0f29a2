using NestQuant.Onnx;
using NestQuant.Passes.Operators;
using NestQuant.RuntimeOps.Schema;

namespace NestQuant.Passes.Export;

/// <summary>The bounds of float results as a Relu or Clip of their own.</summary>
internal static class BoundsExport
{
    /// <summary>A name for what an operator computes before its bounds apply.</summary>
    public static string Unbounded(NodeProto node, ExportedGraph graph) =>
        HasBounds(node) ? graph.Step(node.Output[0], "_unbounded") : graph.Define(node.Output[0]);

    /// <summary>Makes the operator's result from <see cref="Unbounded"/>.</summary>
    public static void Apply(NodeProto node, string unbounded, ExportedGraph graph)
    {
        if (!HasBounds(node)) return;
        (float min, float max) = Of(node);
        string output = graph.Define(node.Output[0]);
        if (min == 0 && float.IsPositiveInfinity(max)) graph.Add("Relu", output, [unbounded], output);
        else graph.Add("Clip", output, [unbounded, Bound(min, "_min"), Bound(max, "_max")], output);

        string Bound(float value, string suffix) => float.IsInfinity(value) ? ""
            : graph.Context.Add(output + suffix, name => TensorProto.FromFloats(name, [], [value]));
    }

    private static bool HasBounds(NodeProto node) => Of(node) != (float.NegativeInfinity, float.PositiveInfinity);

    private static (float Min, float Max) Of(NodeProto node) =>
        (node.GetFloat(OperatorAttributes.ActivationMin), node.GetFloat(OperatorAttributes.ActivationMax));
}
