using NestQuant.Onnx;
using NestQuant.Onnx.Graph;
using NestQuant.RuntimeOps.Schema;

namespace NestQuant.Passes.Operators;

/// <summary>Reads and writes nodes of NestQuant's operators by the names that the schema gives to inputs and attributes.</summary>
internal static class SchemaNodes
{
    /// <summary>The schema of a node's operator; null for operators of other domains and unknown ones.</summary>
    public static OperatorSchema? Schema(this NodeProto node) =>
        node.Domain == OperatorSet.Domain ? OperatorSet.Find(node.OpType) : null;

    /// <summary>Whether a node is one of an operator.</summary>
    public static bool Is(this NodeProto node, OperatorSchema schema) => node.Schema() == schema;

    /// <summary>Whether a node's weight is nested.</summary>
    public static bool IsNested(this NodeProto node) => node.Schema() is { IsNested: true };

    /// <summary>The value that an input reads; empty where it is absent.</summary>
    /// <param name="node">A node of one of the operators.</param>
    /// <param name="input">One of <see cref="InputNames"/>, which the operator has.</param>
    public static string InputAt(this NodeProto node, string input) => node.InputAt(node.PositionOf(input));

    /// <summary>The position of an input.</summary>
    /// <param name="node">A node of one of the operators.</param>
    /// <param name="input">One of <see cref="InputNames"/>, which the operator has.</param>
    public static int PositionOf(this NodeProto node, string input) => node.Schema()![input].Position;

    /// <summary>The inputs of a node, by name.</summary>
    /// <param name="node">A node of one of the operators.</param>
    public static IEnumerable<(string Input, string Value)> NamedInputs(this NodeProto node) =>
        node.Schema()!.Inputs.Select(input => (input.Name, node.InputAt(input.Position)));

    /// <summary>An attribute, or its default.</summary>
    public static long GetInt(this NodeProto node, IntAttribute attribute) => node.GetInt(attribute.Name, attribute.Default);

    /// <inheritdoc cref="GetInt"/>
    public static float GetFloat(this NodeProto node, FloatAttribute attribute) => node.GetFloat(attribute.Name, attribute.Default);

    /// <inheritdoc cref="GetInt"/>
    public static string GetString(this NodeProto node, StringAttribute attribute) => node.GetString(attribute.Name, attribute.Default);

    /// <summary>Makes a node with its inputs in the schema's order; empty ones at the end are left out.</summary>
    /// <param name="schema">The operator.</param>
    /// <param name="name">The node's name.</param>
    /// <param name="inputs">Values by the names of inputs, which the operator has; what is not given is absent.</param>
    /// <param name="output">The result.</param>
    public static NodeProto NewNode(
        this OperatorSchema schema, string name, IEnumerable<(string Input, string Value)> inputs, string output)
    {
        string[] values = new string[schema.Inputs.Count];
        Array.Fill(values, "");
        foreach ((string input, string value) in inputs) values[schema[input].Position] = value;
        var node = new NodeProto { OpType = schema.Name, Domain = OperatorSet.Domain, Name = name };
        node.Input.AddRange(values.AsSpan(..(Array.FindLastIndex(values, static value => value.Length > 0) + 1)));
        node.Output.Add(output);
        return node;
    }
}
