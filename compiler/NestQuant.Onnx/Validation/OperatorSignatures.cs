using System.Globalization;
using NestQuant.Onnx.Graph;

namespace NestQuant.Onnx.Validation;

/// <summary>The table of operators, <c>OperatorSignatures.txt</c> beside this file. Other operators are not checked.</summary>
internal static class OperatorSignatures
{
    private static readonly Dictionary<string, List<(long Since, OperatorSignature Signature)>> Table = Read();

    /// <summary>The signature of a node's operator in a version of ONNX's operator set; null when the table has none.</summary>
    public static OperatorSignature? Of(NodeProto node, long version)
    {
        bool isDefault = node.IsDefaultDomain();
        if (!Table.TryGetValue(isDefault ? node.OpType : $"{node.Domain}.{node.OpType}", out var versions)) return null;
        // Other domains have one version, independent of ONNX's operator set.
        return isDefault ? versions.FindLast(entry => entry.Since <= version).Signature : versions[0].Signature;
    }

    private static Dictionary<string, List<(long Since, OperatorSignature Signature)>> Read()
    {
        using Stream resource = typeof(OperatorSignatures).Assembly.GetManifestResourceStream("OperatorSignatures.txt")!;
        using var reader = new StreamReader(resource);
        var table = new Dictionary<string, List<(long, OperatorSignature)>>(StringComparer.Ordinal);
        while (reader.ReadLine() is { } line)
        {
            string[] fields = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (fields.Length == 0 || fields[0] == "#") continue;
            if (!table.TryGetValue(fields[0], out List<(long, OperatorSignature)>? versions)) table.Add(fields[0], versions = []);
            versions.Add(
                (
                    long.Parse(fields[1], CultureInfo.InvariantCulture),
                    new OperatorSignature(Letters(fields[2]), Letters(fields[3]), fields[4..])));
        }

        return table;
    }

    private static string Letters(string field) => field == "-" ? "" : field;
}
