using System.Globalization;
using System.Text;
using NestQuant.RuntimeOps.Schema;

namespace NestQuant.RuntimeOps.Tests.Schema;

/// <summary>Writes docs/operators.md from the schema.</summary>
internal static class OperatorReference
{
    private const string Introduction = $"""
        # Operators

        The operators of the domain `{OperatorSet.Domain}`. This page is generated from `NestQuant.RuntimeOps/Schema`: change it there.

        Every operator has one output and no variadic input. An input marked *constant* is an initializer in
        what the compiler writes, and `export`, `inspect` and `verify` require it; the operators themselves also run on values that are
        fed. What the operators compute is in [runtime-ops/README.md](../runtime-ops/README.md#what-is-computed), the format of `W_high`
        and the low operands in [operand-format.md](operand-format.md).

        """;

    /// <summary>The page.</summary>
    public static string Write()
    {
        StringBuilder page = new(Introduction.ReplaceLineEndings("\n"));
        page.Append("\n| operator | weight | activations | output |\n| --- | --- | --- | --- |\n");
        foreach (OperatorSchema schema in OperatorSet.All)
        {
            string weight = schema.IsNested ? "nested" : "none";
            string activations = schema.HasInput(InputNames.X) ? Type(schema[InputNames.X])
                : schema.HasInput(InputNames.Indices) ? "indices"
                : "none";
            page.Append($"| [{schema.Name}](#{Anchor(schema)}) | {weight} | {activations} | {Type(schema.Output.Type)} |\n");
        }

        foreach (OperatorSchema schema in OperatorSet.All)
            Write(schema, page);
        return page.ToString();
    }

    private static void Write(OperatorSchema schema, StringBuilder page)
    {
        page.Append(CultureInfo.InvariantCulture, $"\n## {schema.Name}\n\n{schema.Summary} Since version {schema.SinceVersion}.\n\n");
        page.Append("| | input | type | shape | |\n| --- | --- | --- | --- | --- |\n");
        foreach (InputSchema input in schema.Inputs)
        {
            string marks = (input.IsOptional ? "; optional" : "") + (input.IsConstant ? "; *constant*" : "");
            page.Append(
                CultureInfo.InvariantCulture,
                $"| {input.Position} | `{input.Name}` | {Type(input)} | {input.Shape} | {input.Meaning}{marks} |\n");
        }

        page.Append($"\nOutput: `{OutputSchema.Name}`, {Type(schema.Output.Type)}; its shape: {schema.Output.Shape}.\n\n");
        page.Append("| attribute | type | default | values | |\n| --- | --- | --- | --- | --- |\n");
        foreach (AttributeSchema attribute in schema.Attributes)
        {
            string value = attribute.IsRequired ? "*required*" : attribute.DefaultText;
            page.Append($"| `{attribute.Name}` | {attribute.Kind} | {value} | {attribute.Values} | {attribute.Meaning} |\n");
        }
    }

    private static string Anchor(OperatorSchema schema) => schema.Name.ToLowerInvariant();

    private static string Type(InputSchema input) =>
        input.OtherType == ElementType.Undefined ? Type(input.Type) : $"{Type(input.Type)} or {Type(input.OtherType)}";

    private static string Type(ElementType type) => type.ToString().ToLowerInvariant();
}
