using NestQuant.Onnx;
using NestQuant.Onnx.Graph;
using NestQuant.Passes.Operators;
using NestQuant.RuntimeOps.Schema;

namespace NestQuant.Passes.GroupNL.Recognition;

/// <summary>Follows the nodes that make a function of (n - shift) * period, one step at a time.</summary>
/// <param name="view">The graph.</param>
/// <param name="traced">The values followed so far, to which the result is added.</param>
/// <remarks>
/// Recognised are Sin; Exp (Neg (u^2)); Sqrt (1 + u^2); the reciprocals of 1 + u^2 and of its root; and u * |u|^k, where u^2 is Mul (u, u)
/// or Pow (u, 2), and a reciprocal is Reciprocal or Div with 1.
/// </remarks>
internal sealed class FunctionTrace(GraphView view, Dictionary<string, TracedMaps> traced)
{
    /// <summary>Whether a node may be the first step of a function, which makes a normalisation a candidate.</summary>
    public static bool IsStart(NodeProto node) =>
        node.Is("Sin") || node.Is("Pow") || node.Is("Abs") || (node.Is("Mul") && node.Input.Count == 2 && node.Input[0] == node.Input[1]);

    /// <summary>Whether an operator occurs in a block only as a step of a function.</summary>
    public static bool IsStep(string type) => type is "Pow" or "Abs" or "Neg" or "Exp" or "Sqrt" or "Reciprocal";

    /// <summary>Follows a node if it is the next step for all its maps.</summary>
    public bool TryFollow(NodeProto node)
    {
        Func<MapOrigin, MapOrigin?>? step = Step(node, out string input);
        if (step is null || !traced.TryGetValue(input, out TracedMaps? maps)) return false;
        var next = new MapOrigin[maps.Maps.Length];
        for (int i = 0; i < next.Length; i++)
        {
            if (step(maps.Maps[i]) is not { } map) return false;
            next[i] = map;
        }

        traced[node.Output[0]] = maps with { Maps = next };
        return true;
    }

    private Func<MapOrigin, MapOrigin?>? Step(NodeProto node, out string input)
    {
        input = node.InputAt(0);
        string other = node.InputAt(1);
        switch (node.OpType)
        {
            case "Sin":
                return static map => IsArgument(map) ? Generated(map, GroupNLFunction.Sine) : null;
            case "Mul" when input == other:
                return Square;
            case "Mul":
                return Product(ref input, other);
            case "Pow":
                return Scalar(other) switch
                {
                    2 => static map => Square(map) ?? Power(map, 2),
                    > 0 and <= GroupNLFunctions.GreatestPower and var power when float.IsInteger(power) => map => Power(map, (int)power),
                    _ => null,
                };
            case "Abs":
                return static map => IsArgument(map) ? map with { Stage = MapStage.Magnitude, Power = 1 } : null;
            case "Neg":
                return static map => map.Stage == MapStage.Squared ? map with { Stage = MapStage.NegatedSquare } : null;
            case "Exp":
                return static map =>
                    map.Stage == MapStage.NegatedSquare ? Generated(map, GroupNLFunction.Of(GroupNLFunctions.Gaussian)) : null;
            case "Add":
                if (Scalar(input) == 1) input = other;
                else if (Scalar(other) != 1) return null;
                return static map => map.Stage == MapStage.Squared ? map with { Stage = MapStage.OnePlusSquare } : null;
            case "Sqrt":
                return static map =>
                    map.Stage == MapStage.OnePlusSquare ? Generated(map, GroupNLFunction.Of(GroupNLFunctions.Multiquadric)) : null;
            case "Reciprocal":
                return Invert;
            case "Div" when Scalar(input) == 1:
                input = other;
                return Invert;
            default:
                return null;
        }
    }

    /// <summary>u * |u|^k, in either order: the operand with the magnitudes determines the other.</summary>
    private Func<MapOrigin, MapOrigin?>? Product(ref string input, string other)
    {
        if (!traced.TryGetValue(input, out TracedMaps? left) || !traced.TryGetValue(other, out TracedMaps? right)) return null;
        if (Array.Exists(left.Maps, static map => map.Stage != MapStage.Magnitude))
        {
            (left, right) = (right, left);
            input = other;
        }

        bool matches = left.Maps.Length == right.Maps.Length
            && left.Grouping.SequenceEqual(right.Grouping)
            && left.Shape.SequenceEqual(right.Shape);
        for (int i = 0; matches && i < left.Maps.Length; i++)
        {
            MapOrigin magnitude = left.Maps[i], argument = right.Maps[i];
            matches = magnitude.Stage == MapStage.Magnitude
                && IsArgument(argument)
                && magnitude with { Stage = argument.Stage, Power = 0 } == argument;
        }

        return matches ? static map =>
            map.Power < GroupNLFunctions.GreatestPower ? Generated(map, GroupNLFunction.Monomial(map.Power + 1)) : null : null;
    }

    /// <summary>The value of a constant with one element that adds no axis to the maps; null for anything else.</summary>
    private float? Scalar(string name) =>
        view.Constant(name) is { Dims.Count: <= TracedMaps.Rank } ? ScalarConstant.Float(view, name) : null;

    private static MapOrigin? Square(MapOrigin map) => IsArgument(map) ? map with { Stage = MapStage.Squared } : null;

    private static MapOrigin? Power(MapOrigin map, int power) =>
        map is { Stage: MapStage.Magnitude, Power: 1 } ? map with { Power = power } : null;

    private static MapOrigin? Invert(MapOrigin map) => map switch
    {
        { Stage: MapStage.OnePlusSquare } => Generated(map, GroupNLFunction.Of(GroupNLFunctions.InverseQuadratic)),
        { Stage: MapStage.Generated, Function.Name: GroupNLFunctions.Multiquadric } =>
            Generated(map, GroupNLFunction.Of(GroupNLFunctions.InverseMultiquadric)),
        _ => null,
    };

    private static MapOrigin Generated(MapOrigin map, GroupNLFunction function) =>
        map with { Stage = MapStage.Generated, Power = 0, Function = function };

    private static bool IsArgument(MapOrigin map) => map.Stage <= MapStage.Scaled;
}
