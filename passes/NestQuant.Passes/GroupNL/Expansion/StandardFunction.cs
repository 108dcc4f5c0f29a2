using NestQuant.Onnx;
using NestQuant.Passes.GroupNL.Recognition;
using NestQuant.RuntimeOps.Schema;

namespace NestQuant.Passes.GroupNL.Expansion;

/// <summary>
/// Writes a function of GroupNL's family in operators of ONNX itself, of any operator set from 11 on; <see cref="FunctionTrace"/> reads
/// them.
/// </summary>
/// <param name="nodes">Where the nodes go.</param>
/// <param name="node">Makes a node of a type with inputs; its name says which of the stem's nodes it is.</param>
/// <param name="scalar">Adds a constant without axes and gives its name.</param>
internal sealed class StandardFunction(
    List<NodeProto> nodes, Func<string, string, string[], NodeProto> node, Func<string, float, string> scalar)
{
    /// <summary>Writes the function.</summary>
    /// <param name="function">Which.</param>
    /// <param name="u">Its argument.</param>
    /// <returns>Its result.</returns>
    public string Write(GroupNLFunction function, string u)
    {
        switch (function.Name)
        {
            case GroupNLFunctions.Sine:
                return Add("Sin", "_sine", u);
            case GroupNLFunctions.Gaussian:
                return Add("Exp", "_gaussian", Add("Neg", "_exponent", Square(u)));
            case GroupNLFunctions.Multiquadric:
                return Add("Sqrt", "_root", OnePlusSquare(u));
            case GroupNLFunctions.InverseQuadratic:
                return Add("Reciprocal", "_inverse", OnePlusSquare(u));
            case GroupNLFunctions.InverseMultiquadric:
                return Add("Reciprocal", "_inverse", Add("Sqrt", "_root", OnePlusSquare(u)));
            case GroupNLFunctions.Monomial:
                // sign(u) |u|^p = u |u|^(p - 1)
                string magnitude = Add("Abs", "_magnitude", u);
                if (function.Power > 2) magnitude = Add("Pow", "_power", magnitude, scalar("_exponent", function.Power - 1));
                return Add("Mul", "_monomial", u, magnitude);
            default:
                throw new ArgumentOutOfRangeException(nameof(function), function, "a function that cannot be written");
        }
    }

    private string Square(string u) => Add("Mul", "_square", u, u);

    private string OnePlusSquare(string u) => Add("Add", "_sum", Square(u), scalar("_one", 1));

    private string Add(string type, string suffix, params string[] inputs)
    {
        NodeProto added = node(type, suffix, inputs);
        nodes.Add(added);
        return added.Output[0];
    }
}
