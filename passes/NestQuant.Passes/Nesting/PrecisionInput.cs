using NestQuant.Onnx;
using NestQuant.Onnx.Graph;
using NestQuant.Passes.Operators;
using NestQuant.RuntimeOps.Packing;

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
    /// Adds the input, if the model has none, with full precision as its default, and what it needs of the model's header.
    /// </summary>
    /// <returns>Its name.</returns>
    /// <exception cref="ModelException">Another value of the model has that name.</exception>
    internal static string Ensure(ModelProto model, GraphView main, NestedBits bits)
    {
        if (main.IsInput(Name) && main.Initializer(Name) is { DataType: TensorDataType.Int32 } known && known.ToInt32s() is [var value])
        {
            if (value == bits.Full) return Name;
            throw new ModelException(
                $"the model's precision input '{Name}' is {value} by default, and cannot be {bits.Full} at the same time: nest the "
                    + "source model, not a model that was nested before");
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
