using NestQuant.Onnx;
using NestQuant.Onnx.Graph;
using NestQuant.Passes.Operators;

namespace NestQuant.Passes.Nesting;

/// <summary>
/// <c>nest_bits</c>: an int32 scalar that is both an initializer and a graph input. A run that does not feed it has full precision; one
/// that feeds h has part precision.
/// </summary>
public static class PrecisionInput
{
    /// <summary>Name of the graph input.</summary>
    public const string Name = "nest_bits";

    /// <summary>
    /// Adds the input, if the model has none, and what it needs of the model's header. By default it is the largest n of the model's
    /// weights, full precision for all.
    /// </summary>
    /// <param name="model">The model.</param>
    /// <param name="main">View of its main graph.</param>
    /// <param name="full">The largest n of the weights that are being nested.</param>
    /// <returns>Its name.</returns>
    /// <exception cref="ModelException">Another value of the model has that name.</exception>
    internal static string Ensure(ModelProto model, GraphView main, int full)
    {
        if (main.IsInput(Name) && main.Initializer(Name) is { DataType: TensorDataType.Int32 } known && known.ToInt32s() is [var value])
        {
            int most = model.AllNodes().Where(SchemaNodes.IsNested).Select(static node => NestedOperator.BitsOf(node).Full).DefaultIfEmpty(value).Max();
            if (value != most)
                throw new ModelException(
                    $"the model's precision input '{Name}' is {value} by default, and its weights have up to {most} bits: nest the source "
                        + "model, not a part model");
            if (value < full) known.RawData = TensorProto.FromInt32s(Name, [], [full]).RawData;
            return Name;
        }

        if (main.WithInner().Any(static view => view.Defines(Name)))
            throw new ModelException(
                $"the model already has a value named '{Name}', which the precision input needs: rename it in the source model");
        main.AddInitializer(TensorProto.FromInt32s(Name, [], [full]));
        var scalar = new TypeProto
        {
            TensorType = new TypeProto.Tensor { ElemType = TensorDataType.Int32, Shape = new TensorShapeProto() },
        };
        main.AddInput(new ValueInfoProto { Name = Name, Type = scalar });
        OperatorDomain.Import(model);
        return Name;
    }
}
