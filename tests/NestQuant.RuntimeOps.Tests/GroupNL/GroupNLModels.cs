using NestQuant.Onnx;
using NestQuant.RuntimeOps.Kernels.GroupNL.Functions;
using NestQuant.RuntimeOps.Operators;
using NestQuant.RuntimeOps.Schema;
using NestQuant.TestSupport;

namespace NestQuant.RuntimeOps.Tests.GroupNL;

/// <summary>Models of one expansion: the single operator, and what it stands for in standard ONNX operators.</summary>
internal static class GroupNLModels
{
    public static NodeModel Expand(ExpansionCase c, bool isChannelsLast = false)
    {
        long[] spatial = [.. c.Spatial];
        NodeModel model = new NodeModel(OperatorNames.GroupNLExpand)
            .Fed("X", TensorDataType.Float, isChannelsLast ? [-1, .. spatial, c.Seeds] : [-1, c.Seeds, .. spatial])
            .With(AttributeProto.Int(AttributeNames.ChannelsLast, isChannelsLast ? 1 : 0));
        return Parameters(model, c);
    }

    /// <summary>Adds the inputs from shift on and the attributes.</summary>
    public static NodeModel Parameters(NodeModel model, ExpansionCase c)
    {
        model.Constant(TensorProto.FromFloats("shift", [c.Shift.Length], c.Shift))
            .Constant(TensorProto.FromFloats("period", [c.Period.Length], c.Period));
        foreach ((string name, float[]? values) in new[] { ("scale", c.Scale), ("bias", c.Bias) })
            _ = values is null ? model.Absent(name) : model.Constant(TensorProto.FromFloats(name, [values.Length], values));
        return model
            .With(AttributeProto.IntList(AttributeNames.Source, [.. c.Source]))
            .With(AttributeProto.String(AttributeNames.Function, c.FunctionName))
            .With(AttributeProto.Int(AttributeNames.Power, c.Function.Power))
            .With(AttributeProto.Float(AttributeNames.Epsilon, c.Epsilon))
            .With(AttributeProto.String(AttributeNames.Activation, c.ActivationName))
            .With(AttributeProto.Float(AttributeNames.ActivationMin, c.Min))
            .With(AttributeProto.Float(AttributeNames.ActivationMax, c.Max));
    }

    /// <summary>The same in ONNX's own operators, channels second, as PyTorch exports it (the copying of maps apart).</summary>
    public static ModelProto Unfused(ExpansionCase c)
    {
        GraphProto graph = new() { Name = "unfused" };
        long[] perMap = [1, 1, .. c.Spatial.Select(_ => 1L)];
        Node(graph, "ReduceL2", "norm", ["X"], AttributeProto.IntList("axes", 1), AttributeProto.Int("keepdims", 1));
        graph.Initializer.Add(TensorProto.FromFloats("epsilon", [], [c.Epsilon]));
        Node(graph, "Clip", "clipped", ["norm", "epsilon"]);
        Node(graph, "Shape", "shape", ["X"]);
        Node(graph, "Expand", "expanded", ["clipped", "shape"]);
        Node(graph, "Div", "n", ["X", "expanded"]);
        graph.Initializer.Add(TensorProto.FromInt64s("source", [c.Source.Length], [.. c.Source]));
        Node(graph, "Gather", "copied", ["n", "source"], AttributeProto.Int("axis", 1));
        perMap[1] = c.Source.Length;
        graph.Initializer.Add(TensorProto.FromFloats("shift", perMap, c.Shift));
        graph.Initializer.Add(TensorProto.FromFloats("period", perMap, c.Period));
        Node(graph, "Sub", "shifted", ["copied", "shift"]);
        Node(graph, "Mul", "argument", ["shifted", "period"]);
        AddFunction(graph, c.Function, "argument", "generated");
        Node(graph, "Concat", "maps", ["n", "generated"], AttributeProto.Int("axis", 1));

        string y = "maps";
        if (c.Scale is not null && c.Bias is not null)
        {
            graph.Initializer.Add(TensorProto.FromFloats("gamma", [c.Maps], c.Scale));
            graph.Initializer.Add(TensorProto.FromFloats("beta", [c.Maps], c.Bias));
            graph.Initializer.Add(TensorProto.FromFloats("mean", [c.Maps], new float[c.Maps]));
            graph.Initializer.Add(TensorProto.FromFloats("variance", [c.Maps], [.. Enumerable.Repeat(1f, c.Maps)]));
            Node(graph, "BatchNormalization", "normalised", [y, "gamma", "beta", "mean", "variance"], AttributeProto.Float("epsilon", 0));
            y = "normalised";
        }

        switch (c.ActivationName)
        {
            case ActivationNames.Clip when c.Min == 0 && float.IsInfinity(c.Max):
                Node(graph, "Relu", "Y", [y]);
                break;
            case ActivationNames.Clip:
                graph.Initializer.Add(TensorProto.FromFloats("min", [], [c.Min]));
                graph.Initializer.Add(TensorProto.FromFloats("max", [], [c.Max]));
                Node(graph, "Clip", "Y", [y, "min", "max"]);
                break;
            default:
                Node(graph, c.ActivationName == ActivationNames.HardSwish ? "HardSwish" : "Identity", "Y", [y]);
                break;
        }

        graph.Input.Add(Value("X"));
        graph.Output.Add(Value("Y"));
        ModelProto model = new() { IrVersion = 8, Graph = graph };
        model.OpsetImport.Add(new OperatorSetIdProto { Domain = "", Version = 17 });
        return model;
    }

    private static void AddFunction(GraphProto graph, MapFunction function, string u, string y)
    {
        if (function.Kind == MapFunctionKind.Sine)
        {
            Node(graph, "Sin", y, [u]);
            return;
        }

        if (function.Kind == MapFunctionKind.Monomial)
        {
            graph.Initializer.Add(TensorProto.FromFloats("power", [], [function.Power]));
            Node(graph, "Abs", "magnitude", [u]);
            Node(graph, "Pow", "powered", ["magnitude", "power"]);
            Node(graph, "Sign", "sign", [u]);
            Node(graph, "Mul", y, ["sign", "powered"]);
            return;
        }

        Node(graph, "Mul", "square", [u, u]);
        if (function.Kind == MapFunctionKind.Gaussian)
        {
            Node(graph, "Neg", "exponent", ["square"]);
            Node(graph, "Exp", y, ["exponent"]);
            return;
        }

        graph.Initializer.Add(TensorProto.FromFloats("one", [], [1]));
        bool isInverse = function.Kind != MapFunctionKind.Multiquadric;
        bool isRooted = function.Kind != MapFunctionKind.InverseQuadratic;
        Node(graph, "Add", "sum", ["square", "one"]);
        if (isRooted)
            Node(graph, "Sqrt", isInverse ? "root" : y, ["sum"]);
        if (isInverse)
            Node(graph, "Div", y, ["one", isRooted ? "root" : "sum"]);
    }

    private static void Node(GraphProto graph, string type, string output, string[] inputs, params AttributeProto[] attributes)
    {
        NodeProto node = new() { OpType = type, Name = output };
        node.Input.AddRange(inputs);
        node.Output.Add(output);
        node.Attribute.AddRange(attributes);
        graph.Node.Add(node);
    }

    private static ValueInfoProto Value(string name) =>
        new() { Name = name, Type = new TypeProto { TensorType = new TypeProto.Tensor { ElemType = TensorDataType.Float } } };
}
