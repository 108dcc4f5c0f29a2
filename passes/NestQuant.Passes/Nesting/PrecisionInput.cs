using NestQuant.Onnx;
using NestQuant.Onnx.Graph;
using NestQuant.Passes.Operators;
using NestQuant.RuntimeOps;
using NestQuant.RuntimeOps.Packing;

namespace NestQuant.Passes.Nesting;

/// <summary>
/// <c>nest_bits</c>: an int32 scalar that is both an initializer and a graph input. A run that does not feed it has full precision; one
/// that feeds b uses every weight at <see cref="NestedBits.LevelAt"/> b.
/// </summary>
internal static class PrecisionInput
{
    /// <summary>Name of the graph input.</summary>
    public const string Name = NestQuantOps.BitsInput;

    /// <summary>
    /// Adds the input, if the model has none, with a default that means full precision for all weights, and what it needs of the model's
    /// header.
    /// </summary>
    /// <param name="model">The model.</param>
    /// <param name="main">View of its main graph.</param>
    /// <param name="bits">The levels of a weight that is about to be nested.</param>
    /// <returns>Its name.</returns>
    /// <exception cref="ModelException">Another value of the model has that name, or the model is a part model.</exception>
    internal static string Ensure(ModelProto model, GraphView main, NestedBits bits)
    {
        if (main.IsInput(Name) && main.Initializer(Name) is { DataType: TensorDataType.Int32 } known && known.ToInt32s() is [var value])
        {
            int full = model.AllNodes().Where(SchemaNodes.IsNested).Select(static node => NestedLevels.Of(node).Full)
                .DefaultIfEmpty(bits.Full).Max();
            if (value < full)
                throw new ModelException(
                    $"the model's precision input '{Name}' is {value} by default, where full precision takes {full}: nest the source "
                        + "model, "
                        + "not a part model");
            if (value < bits.Full) main.ReplaceInitializer(TensorProto.FromInt32s(Name, [], [bits.Full]));
            return Name;
        }

        if (main.WithInner().Any(static view => view.Defines(Name)))
            throw new ModelException(
                $"the model already has a value named '{Name}', which the precision input needs: rename it in the source model");
        main.AddInitializer(TensorProto.FromInt32s(Name, [], [bits.Full]));
        var scalar = new TypeProto
        {
            TensorType = new TypeProto.Tensor { ElemType = TensorDataType.Int32, Shape = new TensorShapeProto() },
        };
        main.AddInput(new ValueInfoProto { Name = Name, Type = scalar });
        OperatorDomain.Import(model);
        return Name;
    }
}
