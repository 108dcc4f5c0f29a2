using System.Globalization;
using NestQuant.Onnx;
using NestQuant.Passes.Integer.Values;
using NestQuant.Passes.Operators;
using NestQuant.RuntimeOps.Schema;

namespace NestQuant.Passes.Integer.Operators;

/// <summary>Writes QLinearLookup nodes; equal tables become one initializer.</summary>
internal sealed class LookupTables(QuantizedGraph graph)
{
    private readonly Dictionary<string, string> _tables = new(StringComparer.Ordinal);

    /// <summary>Makes the node <c>result = table[x]</c>.</summary>
    /// <param name="x">A uint8 value.</param>
    /// <param name="result">Name of the result.</param>
    /// <param name="integers">The 256 results.</param>
    /// <param name="function">The function as a format of its argument, see <see cref="PointwiseValue.Function"/>; empty when it is not
    /// known.</param>
    /// <param name="name">Wanted name of the node.</param>
    public NodeProto Lookup(string x, string result, byte[] integers, string function, string name)
    {
        NodeProto node = OperatorSet.QLinearLookup.NewNode(name, [(InputNames.X, x), (InputNames.Table, Table(integers, result))], result);
        if (function.Length > 0)
            node.Attribute.Add(
                AttributeProto.String(
                    OperatorAttributes.TableFunction.Name, string.Format(CultureInfo.InvariantCulture, function, "x")));
        OperatorDomain.Import(graph.Model);
        return node;
    }

    /// <summary>Whether a table changes nothing.</summary>
    public static bool IsIdentity(byte[] integers)
    {
        for (int q = 0; q < integers.Length; q++)
            if (integers[q] != q) return false;
        return true;
    }

    private string Table(byte[] integers, string result)
    {
        string key = Convert.ToHexString(integers);
        if (_tables.TryGetValue(key, out string? known)) return known;
        TensorProto table = TensorProto.FromBytes(
            graph.Names.Next(result + "_table"), TensorDataType.UInt8, [PointwiseValue.TableLength], integers);
        graph.View.AddInitializer(table);
        return _tables[key] = table.Name;
    }
}
