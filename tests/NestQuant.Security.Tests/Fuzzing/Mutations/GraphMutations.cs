using NestQuant.Onnx;

namespace NestQuant.Security.Tests.Fuzzing.Mutations;

/// <summary>Inputs, outputs, initializers and bodies of graphs, and local functions.</summary>
internal static class GraphMutations
{
    private static readonly int[] s_depths = [1, 2, 10, 30, 40, 60, 120];

    public static IReadOnlyList<ModelMutation> All { get; } =
    [
        Of("remove graph output", static (graph, parts) => Remove(graph.Output, parts.Random)),
        Of("duplicate graph output", static (graph, parts) => Duplicate(graph.Output, parts.Random)),
        Of("other graph output", static (graph, parts) => Add(graph.Output, parts.Value())),
        Of("remove graph input", static (graph, parts) => Remove(graph.Input, parts.Random)),
        Of("duplicate graph input", static (graph, parts) => Duplicate(graph.Input, parts.Random)),
        Of("additional graph input", static (graph, parts) => Add(graph.Input, parts.Value())),
        Of("other type of a graph input", static (graph, parts) => Retype(graph.Input, parts.Random)),
        Of("other type of a graph output", static (graph, parts) => Retype(graph.Output, parts.Random)),
        Of("other type of a value", static (graph, parts) =>
        {
            graph.ValueInfo.Add(new ValueInfoProto { Name = parts.Value() });
            return Retype(graph.ValueInfo, parts.Random);
        }),
        Of("duplicate initializer", static (graph, parts) => Duplicate(graph.Initializer, parts.Random)),
        Of("remove initializer", static (graph, parts) => Remove(graph.Initializer, parts.Random)),
        Of("initializer in the place of another", static (graph, parts) =>
        {
            if (graph.Initializer.Count == 0) return false;
            parts.Random.Pick(graph.Initializer).Name = parts.Value();
            return true;
        }),
        Of("sparse initializer", static (graph, parts) =>
        {
            if (parts.Tensor() is not { } values || parts.Tensor() is not { } indices) return false;
            var sparse = new SparseTensorProto { Values = values, Indices = parts.Random.OneIn(4) ? null : indices };
            for (int count = Extremes.Count(parts.Random); count > 0; count--) sparse.Dims.Add(Extremes.Integer(parts.Random));
            graph.SparseInitializer.Add(sparse);
            return true;
        }),
        Of("rename value", static (graph, parts) =>
        {
            string from = parts.Value(), to = parts.Value();
            foreach (NodeProto node in graph.Node)
            {
                Replace(node.Input, from, to);
                Replace(node.Output, from, to);
            }

            return true;
        }),
        Of("other graph name", static (graph, parts) =>
        {
            graph.Name = Extremes.Text(parts.Random);
            return true;
        }),
        new("body", static parts => Nest(parts, depth: 1)),
        new("deep bodies", static parts => Nest(parts, parts.Random.Pick(s_depths))),
        new("function of an operator", static parts => AddFunction(parts, parts.Node()?.OpType)),
        new("recursive function", static parts => AddFunction(parts, "Recursive")),
        new("damaged function", static parts =>
        {
            if (parts.Model.Functions.Count == 0) return false;
            FunctionProto function = parts.Random.Pick(parts.Model.Functions);
            switch (parts.Random.Next(5))
            {
                case 0: function.Input.Clear(); break;
                case 1: function.Output.Add(parts.Value()); break;
                case 2: function.OpsetImport.Clear(); break;
                case 3: parts.Model.Functions.Add(function); break;
                default: function.Node.Clear(); break;
            }

            return true;
        }),
    ];

    private static bool Remove<T>(List<T> items, SeededRandom random)
    {
        if (items.Count == 0) return false;
        items.RemoveAt(random.Next(items.Count));
        return true;
    }

    private static bool Duplicate<T>(List<T> items, SeededRandom random)
    {
        if (items.Count == 0) return false;
        items.Add(random.Pick(items));
        return true;
    }

    private static bool Add(List<ValueInfoProto> values, string name)
    {
        values.Add(new ValueInfoProto { Name = name });
        return true;
    }

    private static bool Retype(List<ValueInfoProto> values, SeededRandom random)
    {
        if (values.Count == 0) return false;
        ValueInfoProto value = random.Pick(values);
        if (random.OneIn(8))
        {
            value.Type = new TypeProto();
            return true;
        }

        TypeProto.Tensor type = (value.Type ??= new TypeProto()).TensorType ??= new TypeProto.Tensor();
        if (random.OneIn(2)) type.ElemType = (TensorDataType)random.Next(26);
        type.Shape ??= new TensorShapeProto();
        if (type.Shape.Dim.Count > 0 && !random.OneIn(3))
        {
            type.Shape.Dim[random.Next(type.Shape.Dim.Count)] = new TensorShapeProto.Dimension { DimValue = Extremes.Integer(random) };
            return true;
        }

        type.Shape.Dim.Clear();
        for (int count = Extremes.Count(random); count > 0; count--)
            type.Shape.Dim.Add(new TensorShapeProto.Dimension { DimValue = Extremes.Integer(random) });
        return true;
    }

    private static void Replace(List<string> names, string from, string to)
    {
        for (int i = 0; i < names.Count; i++)
            if (names[i] == from) names[i] = to;
    }

    /// <summary>Gives a graph a node whose bodies, one inside the other, end in a good graph.</summary>
    private static bool Nest(ModelParts parts, int depth)
    {
        if (parts.Graph() is not { } graph) return false;
        GraphProto body = parts.DonatedGraph();
        for (int level = 0; level < depth; level++)
        {
            var node = new NodeProto { OpType = parts.Random.Pick(["If", "Loop", "Scan"]), Name = parts.Node()?.Name };
            node.Input.Add(parts.Value());
            node.Output.Add(parts.Value());
            node.Attribute.Add(AttributeProto.Graph(node.OpType == "If" ? "then_branch" : "body", body));
            body = new GraphProto { Name = "body" };
            body.Node.Add(node);
        }

        graph.Node.InsertRange(parts.Random.Next(graph.Node.Count + 1), body.Node);
        return true;
    }

    /// <summary>Adds a function that calls an operator, or itself, and a node that calls the function.</summary>
    private static bool AddFunction(ModelParts parts, string? called)
    {
        if (parts.Node() is not { } node || called is null) return false;
        string name = called == "Recursive" ? called : node.OpType;
        var function = new FunctionProto { Name = name, Domain = parts.Random.OneIn(2) ? "local" : node.Domain };
        var call = new NodeProto { OpType = called, Domain = called == "Recursive" ? function.Domain : "" };
        call.Input.Add("a");
        call.Output.Add("b");
        function.Input.Add("a");
        function.Output.Add("b");
        function.Node.Add(call);
        function.OpsetImport.AddRange(parts.Model.OpsetImport);
        parts.Model.Functions.Add(function);
        parts.Model.OpsetImport.Add(new OperatorSetIdProto { Domain = function.Domain, Version = 1 });
        (node.OpType, node.Domain) = (name, function.Domain);
        return true;
    }

    private static ModelMutation Of(string name, Func<GraphProto, ModelParts, bool> change) =>
        new(name, parts => parts.Graph() is { } graph && change(graph, parts));
}
