using NestQuant.Compiler.Cli.Terminal;
using NestQuant.Compiler.Pipeline;
using NestQuant.Compiler.Reports;
using NestQuant.Evaluation.Inspection;
using NestQuant.Onnx;
using NestQuant.Onnx.Files;
using NestQuant.RuntimeOps.Packing;

namespace NestQuant.Compiler.Cli.Rendering;

/// <summary>What <c>inspect</c> prints for people.</summary>
internal static class InspectionTables
{
    public static void Write(CliConsole console, ModelInspection inspection)
    {
        foreach (StringStringEntryProto entry in inspection.Metadata)
            console.Line($"{entry.Key}: {entry.Value}");
        if (inspection.Nested.Count > 0)
            WriteNested(console, inspection.Nested);
        foreach (Decision kept in inspection.Kept)
            console.Line($"kept {kept.Op} {kept.Node}: {kept.Reason}");
        foreach (Decision lossy in inspection.Lossy)
            console.Line($"warning: {lossy.Node}: {lossy.Warning}");
        if (inspection.Nested.Count == 0)
            console.Out.WriteLine("nothing is nested");
        if (inspection.IsPart)
            console.Out.WriteLine("part model: low operands are absent, it runs below full precision only");
        console.Line($"{Numbers.Count(inspection.Weights.Count)} initializers, {Numbers.Count(inspection.Weights.Bytes)} bytes");
        foreach (SavedFile file in inspection.Files)
            console.Line($"{file.Path} ({Numbers.Count(file.Bytes)} bytes{(file.Sha256 is null ? "" : $", sha256 {file.Sha256}")})");
    }

    private static void WriteNested(CliConsole console, IReadOnlyList<NestedNode> nested)
    {
        PlainTable table = new PlainTable()
            .Text("node")
            .Text("op", rank: 1)
            .Text("runs as", rank: 4)
            .Text("shape", rank: 3)
            .Text("bits")
            .Number("weights", rank: 2);
        LevelColumns columns = LevelColumns.Of([.. nested.Select(node => node.Numbers)]);
        foreach (var (title, _) in columns.Bytes) table.Number($"{title} bytes");
        foreach (var (title, _) in columns.Decibels) table.Number(title);
        table.Text("tag", rank: 5);
        foreach (NestedNode node in nested)
        {
            NestedLayout layout = node.Operator.Layout;
            table.Row(
            [
                node.Node,
                node.Op,
                node.Operator.Node.OpType,
                string.Join(" x ", node.Operator.Shape),
                layout.Bits.ToString(),
                Numbers.Count(layout.View.Count),
                .. columns.Bytes.Select(column => column.Value(node.Numbers) is { } bytes ? Numbers.Count(bytes) : ""),
                .. columns.Decibels.Select(column => column.Value(node.Numbers) is { } ratio ? Numbers.Decibels(ratio) : ""),
                node.Operator.Tag?.ToString() ?? "-",
            ]);
        }

        table.Write(console);
    }
}
