using NestQuant.Onnx;
using NestQuant.Onnx.Files;
using NestQuant.Onnx.Graph;
using NestQuant.Onnx.Validation;
using NestQuant.Passes.Nesting;
using NestQuant.Passes.Operators;
using NestQuant.RuntimeOps;

namespace NestQuant.Passes.Export;

/// <summary>
/// Writes a compiled model, at one of its precisions, in operators of ONNX alone: the QDQ form, for runtimes that have no NestQuant
/// operators.
/// <code>
/// l = Transpose (x); y = com.nestquant.NestedQLinearConv (l, x_scale, x_zero_point, W_high, W_low, ..., y_scale, y_zero_point, nest_bits);
/// z = Transpose (y) z = QuantizeLinear (Conv (DequantizeLinear (x), DequantizeLinear (W), DequantizeLinear (B)))
/// </code>
/// </summary>
/// <remarks>
/// Tensors are channels first again: what was channels last is computed from its channels-first form, so that the transposes of the
/// compiled model have nothing left to do. Weights are int8 with a scale per channel, biases int32 where activations are static. Results
/// differ from the compiled model's by how biases are rounded, one step of an output's scale at most per operator, and by nothing where
/// there is none.
/// </remarks>
public static class ModelExport
{
    /// <summary>Entry of <c>metadata_props</c> that says what was exported.</summary>
    public const string MetadataKey = "nestquant.export";

    /// <summary>First operator set whose DequantizeLinear has a scale per channel.</summary>
    private const int FirstOpset = 13;

    /// <summary>Exports a model.</summary>
    /// <param name="compiled">A compiled model; it stays as it is, and contents of tensors that do not change are shared.</param>
    /// <param name="options">The precision.</param>
    /// <returns>The model and a decision for every operator that was replaced.</returns>
    /// <exception cref="ModelException">The model was not compiled, has no such precision, or cannot be written in its operator
    /// set.</exception>
    public static CompileResult ToQdq(ModelProto compiled, ExportOptions options)
    {
        ArgumentNullException.ThrowIfNull(compiled);
        ArgumentNullException.ThrowIfNull(options);
        NestedPrecisions precisions = NestedPrecisions.Of(compiled)
            ?? throw new ModelException(
                "the model has no nested weights: only a compiled model with nested weights can be exported");
        if (!precisions.Bits.Contains(options.Bits))
            throw new ModelException($"the model has no precision of {options.Bits} bits: it runs at {precisions}");
        if (compiled.OpsetVersion() < FirstOpset)
            throw new ModelException(
                $"the model imports operator set {compiled.OpsetVersion()}, and DequantizeLinear has a scale per channel from "
                    + $"{FirstOpset} on: compile the source again, which upgrades it or says why not");

        ModelProto model = compiled.Clone();
        var context = new ExportContext(model, options.Bits);
        new ExportedGraph(context, GraphView.Of(model.MainGraph()), outer: null).Run();
        Clean(model, options.Bits);
        return new CompileResult(model, context.Decisions);
    }

    private static void Clean(ModelProto model, int bits)
    {
        GraphProto graph = model.MainGraph();
        graph.Input.RemoveAll(static input => input.Name == PrecisionInput.Name);
        // Types of values that are another shape, or gone.
        foreach (GraphView view in GraphView.Of(graph).WithInner()) view.Graph.ValueInfo.Clear();
        DeadCode.Remove(graph);
        OperandFiles.InlineShared(model);
        model.OpsetImport.RemoveAll(
            opset =>
                (opset.Domain is NestQuantOps.Domain or MicrosoftOperators.Domain)
                    && !model.AllNodes().Any(node => node.Domain == opset.Domain));
        model.MetadataProps.RemoveAll(static entry => entry.Key is Provenance.DecisionsKey or MetadataKey);
        model.MetadataProps.Add(new StringStringEntryProto { Key = MetadataKey, Value = FormattableString.Invariant($"qdq bits={bits}") });
        ModelValidation.Verify(model);
    }
}
