using System.Globalization;
using NestQuant.Compiler.Pipeline;
using NestQuant.Onnx;
using NestQuant.Onnx.Graph;
using NestQuant.Passes.Operators;

namespace NestQuant.Passes.HalfPrecision;

/// <summary>
/// Lets a model of float16 or bfloat16 compute in float32, so that all later passes apply to it.
/// <code>
/// y = MatMul (x, W)                                                    all in float16
/// y = Cast &lt;to = float16&gt; (MatMul (Cast &lt;to = float&gt; (x), W))    with W in float32
/// </code>
/// </summary>
/// <remarks>
/// <para>ONNX Runtime has few kernels for these types on processors and puts the same casts around the other nodes, as many as it needs.
/// Inputs and outputs of the model keep their types. Values are exact in float32. Casts to 16 bits inside go, also where the source
/// computes in float32 on both sides: what they round away is error, and the results are nearer to those of the model in float32.</para>
/// <para>What is not nested is stored in 16 bits again by <see cref="HalfStoragePass"/>. A model with nested weights has been through both
/// and stays as it is, and so does one without an operator whose weights nest.</para>
/// </remarks>
public sealed class Float32ComputePass : IGraphPass
{
    private static readonly HashSet<string> KnownDomains =
        new(StringComparer.Ordinal) { "", "ai.onnx", "ai.onnx.ml", MicrosoftOperators.Domain };

    /// <inheritdoc/>
    public string Name => "float32-compute";

    /// <inheritdoc/>
    public PassResult Run(ModelContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        ModelProto model = context.Model;
        HashSet<TensorDataType> types = DeclaredTypes.HalvesOf(model);
        if (types.Count == 0 || model.AllNodes().Any(SchemaNodes.IsNested) || !model.AllNodes().Any(WeightOperators.Include))
            return PassResult.Unchanged;
        string graph = model.MainGraph().Name;
        if (WhyKept(model) is { } reason)
        {
            context.Decisions.Kept(Name, graph, Decision.WholeModel, reason);
            return PassResult.Unchanged;
        }

        GraphView main = GraphView.Of(model.MainGraph());
        var borders = new HalfBorders(main);
        int tensors = WidenTensors(main, model);
        bool changed = tensors > 0;
        foreach (NodeProto node in model.AllNodes().Where(node => !borders.IsOutputCast(node))) changed |= DeclaredTypes.Widen(node);
        var names = new UniqueNames(model);
        changed |= WidenInputs(main, borders, names) | NarrowOutputs(main, borders, names);
        WidenDeclarations(main, model);
        int casts = RemoveCasts(main, outer: null);
        if (!changed && casts == 0) return PassResult.Unchanged;
        context.Leave(new StoredHalves(types));
        context.Decisions.Rewritten(
            Name, graph, Decision.WholeModel,
            note: string.Create(
                CultureInfo.InvariantCulture,
                $"{string.Join(" and ", types.Order().Select(static type => type.TextName()))} computed in float32, {tensors} tensors"));
        return new PassResult(Changed: true);
    }

    private static string? WhyKept(ModelProto model)
    {
        if (model.TrainingInfo.Count > 0) return "it has training graphs";
        HashSet<string> functions = [.. model.Functions.Select(static function => function.Domain)];
        if (model.AllNodes().FirstOrDefault(node => !KnownDomains.Contains(node.Domain) && !functions.Contains(node.Domain)) is { } foreign)
            return $"{foreign.OpType} '{foreign.DisplayName()}' of domain '{foreign.Domain}' may have no form in float32";
        if (model.AllNodes().FirstOrDefault(static node => node.Attribute.Exists(IsTypeParameter)) is { } typed)
            return $"the type that {typed.OpType} '{typed.DisplayName()}' yields is a parameter of the enclosing function";
        if (model.MainGraph().Output.Find(static output => output.Type is null) is { } untyped)
            return $"output '{untyped.Name}' has no declared type";
        if (model.MainGraph().Input.Concat(model.MainGraph().Output).FirstOrDefault(IsHalfButNoTensor) is { } other)
            return $"'{other.Name}', an input or output, is of float16 and no tensor";
        return TensorWalk.Tensors(model).FirstOrDefault(IsTooLarge) is { } large
            ? $"tensor '{large.Name}' would take more than 2 GB"
            : null;
    }

    private static bool IsTooLarge(TensorProto tensor) => IsHalf(tensor) && tensor.ByteCount > Array.MaxLength / 2;

    private static bool IsTypeParameter(AttributeProto attribute) =>
        DeclaredTypes.NamesType(attribute) && !string.IsNullOrEmpty(attribute.RefAttrName);

    private static bool IsHalfButNoTensor(ValueInfoProto value) =>
        value.Type?.TensorType is null && HalfTensor.IsHalf(DeclaredTypes.ElementType(value.Type));

    private static bool IsHalf(TensorProto tensor) => HalfTensor.IsHalf(tensor.DataType);

    private static bool IsHalf(ValueInfoProto value) => HalfTensor.IsHalf(DeclaredTypes.ElementType(value.Type));

    /// <summary>Makes all tensors float32 but those that a caller replaces or receives.</summary>
    private static int WidenTensors(GraphView main, ModelProto model)
    {
        var halves = TensorWalk.Tensors(model).Where(IsHalf).ToHashSet<TensorProto>(ReferenceEqualityComparer.Instance);
        halves.RemoveWhere(tensor => main.Initializer(tensor.Name) == tensor && (main.IsInput(tensor.Name) || main.IsOutput(tensor.Name)));
        foreach (TensorProto tensor in halves) HalfTensor.Widen(tensor);
        return halves.Count;
    }

    private static bool WidenInputs(GraphView main, HalfBorders borders, UniqueNames names)
    {
        string[] halves =
        [
            .. main.Graph.Input.Where(IsHalf).Select(static input => input.Name)
                .Concat(main.Graph.Initializer.Where(IsHalf).Select(static tensor => tensor.Name)).Distinct(StringComparer.Ordinal),
        ];
        bool changed = false;
        foreach (string value in halves.Where(value => !borders.IsOnlyWidened(value)))
        {
            string wide = names.Next(value + "_float32");
            main.ReplaceUses(value, wide);
            main.InsertBefore(main.Graph.Node[0], HalfTensor.Cast(value, wide, TensorDataType.Float, names));
            changed = true;
        }

        return changed;
    }

    private static bool NarrowOutputs(GraphView main, HalfBorders borders, UniqueNames names)
    {
        bool changed = false;
        foreach (ValueInfoProto output in main.Graph.Output.Where(IsHalf))
        {
            if (main.Producer(output.Name) is not { } producer || borders.IsOutputCast(producer)) continue;
            string wide = names.Next(output.Name + "_float32");
            main.RenameProduced(output.Name, wide);
            main.Append(HalfTensor.Cast(wide, output.Name, output.Type!.TensorType!.ElemType, names));
            changed = true;
        }

        return changed;
    }

    private static void WidenDeclarations(GraphView main, ModelProto model)
    {
        foreach (GraphView view in main.WithInner())
        {
            view.Graph.ValueInfo.ForEach(static info => DeclaredTypes.Widen(info.Type));
            if (view == main) continue;
            view.Graph.Input.ForEach(static info => DeclaredTypes.Widen(info.Type));
            view.Graph.Output.ForEach(static info => DeclaredTypes.Widen(info.Type));
        }

        foreach (FunctionProto function in model.Functions) function.ValueInfo.ForEach(static info => DeclaredTypes.Widen(info.Type));
    }

    /// <summary>Removes the casts that have become casts from float32 to float32.</summary>
    private static int RemoveCasts(GraphView view, FloatValues? outer)
    {
        var floats = new FloatValues(view, outer);
        var removed = new HashSet<NodeProto>(ReferenceEqualityComparer.Instance);
        int inner = 0;
        foreach (NodeProto node in view.Graph.Node.ToArray())
        {
            floats.Enter(node);
            foreach (GraphProto subgraph in node.Subgraphs()) inner += RemoveCasts(view.Inner(subgraph), floats);
            if (!node.Is("Cast") || !floats.Contains(node.Output[0]) || !floats.Contains(node.Input[0])) continue;
            if (view.IsOutput(node.Output[0])) continue;
            view.ReplaceUses(node.Output[0], node.Input[0]);
            removed.Add(node);
        }

        view.Remove(removed);
        return removed.Count + inner;
    }
}
