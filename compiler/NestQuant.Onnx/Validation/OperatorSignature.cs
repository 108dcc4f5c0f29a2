using System.Globalization;
using NestQuant.Onnx.Graph;

namespace NestQuant.Onnx.Validation;

/// <summary>The inputs, outputs and required attributes of one operator.</summary>
/// <param name="Inputs">A letter for each input: <c>r</c> required, <c>o</c> optional; then <c>+</c> for one or more, <c>*</c> for any
/// number.</param>
/// <param name="Outputs">The outputs likewise.</param>
/// <param name="Attributes">Names of the required attributes.</param>
internal sealed record OperatorSignature(string Inputs, string Outputs, IReadOnlyList<string> Attributes)
{
    /// <summary>Checks one node.</summary>
    /// <exception cref="ModelException">It lacks an input, an output or an attribute, or has too many.</exception>
    public void Verify(NodeProto node)
    {
        Verify(node, "input", Inputs, node.Input);
        Verify(node, "output", Outputs, node.Output);
        foreach (string attribute in Attributes)
            if (node.GetAttribute(attribute) is null)
                throw new ModelException($"{node.OpType} '{node.DisplayName()}' has no attribute '{attribute}', which the operator needs");
    }

    private static void Verify(NodeProto node, string kind, string letters, List<string> values)
    {
        int least = letters.LastIndexOfAny(['r', '+']) + 1;
        int most = letters.AsSpan().ContainsAny('+', '*') ? int.MaxValue : letters.Length;
        if (values.Count < least || values.Count > most)
        {
            string range = most == int.MaxValue
                ? $"at least {Text(least)}"
                : least == most ? Text(least)
                : $"{Text(least)} to {Text(most)}";
            throw new ModelException(
                $"{node.OpType} '{node.DisplayName()}' has {Text(values.Count)} {kind}s, but the operator has {range}");
        }

        for (int i = 0; i < Math.Min(letters.Length, values.Count); i++)
        {
            if (letters[i] == 'r' && values[i].Length == 0)
                throw new ModelException($"{node.OpType} '{node.DisplayName()}' leaves out {kind} {Text(i)}, which the operator needs");
        }
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
