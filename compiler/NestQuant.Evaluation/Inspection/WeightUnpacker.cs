using NestQuant.Data;
using NestQuant.Onnx;
using NestQuant.Onnx.Files;
using NestQuant.Onnx.Files.Transactions;
using NestQuant.Passes.Nesting;
using NestQuant.RuntimeOps.Packing;

namespace NestQuant.Evaluation.Inspection;

/// <summary>
/// Writes the integers of nested weights as <c>.npy</c> files, in the original weight's shape: <c>w_int</c>, <c>w_high</c> and
/// <c>w_low</c> (int8), <c>scale</c> (float32) and <c>zero_point</c> (int32) per output channel, so that
/// <c>w = (w_int - zero_point) * scale</c>.
/// </summary>
internal static class WeightUnpacker
{
    /// <summary>Writes the weight of every node; a weight that several nodes share is written for each.</summary>
    /// <remarks>A low operand takes l + 1 bits, which is at most 7, so that all parts fit int8.</remarks>
    /// <exception cref="ModelException">An operand decodes to a value outside its range: the data files are damaged.</exception>
    public static void Write(IReadOnlyList<NestedOperator> operators, string folder, FileTransaction output)
    {
        var names = new FileNames();
        foreach (NestedOperator nested in operators)
        {
            IReadOnlyList<(string Part, NpyArray Array)> arrays = Unpack(nested);
            foreach (string node in nested.Consumers)
            {
                string stem = names.Make(node);
                foreach (var (part, array) in arrays)
                    output.Write(Path.Combine(folder, $"{stem}.{part}.npy"), array.Write);
            }
        }
    }

    private static List<(string Part, NpyArray Array)> Unpack(NestedOperator nested)
    {
        NestedLayout layout = nested.Layout;
        sbyte[][] values = NestedPacker.Unpack(layout, [.. nested.Operands.Select(static operand => operand.Operand.GetBytes())]);
        var arrays = new List<(string, NpyArray)>();
        if (nested.Low is not null)
        {
            arrays.Add(("w_int", Int8(nested, nested.Integers(part: false))));
            arrays.Add(("w_low", Int8(nested, values[1])));
        }

        arrays.Add(("w_high", Int8(nested, values[0])));
        int channels = layout.View.OutputChannels;
        arrays.Add(("scale", NpyArray.FromFloats([channels], nested.Scale.ToFloats())));
        arrays.Add(("zero_point", NpyArray.From<int>(NpyType.Int32, [channels], nested.ZeroPoint?.ToInt32s() ?? new int[channels])));
        return arrays;
    }

    private static NpyArray Int8(NestedOperator nested, sbyte[] values) => NpyArray.From<sbyte>(NpyType.Int8, nested.Shape, values);
}
