using NestQuant.Passes.GroupNL.Expansion;
using NestQuant.RuntimeOps.Schema;

namespace NestQuant.Passes.GroupNL.Recognition;

/// <summary>What generates a map from u = (n - shift) * period.</summary>
public readonly record struct GroupNLFunction
{
    private readonly string? _name;

    /// <summary>The sine, GroupNL's own (arXiv 2506.12335).</summary>
    public static GroupNLFunction Sine => default;

    /// <summary>One of <see cref="GroupNLFunctions"/>.</summary>
    public string Name
    {
        get => _name ?? GroupNLFunctions.Sine;
        init => _name = value == GroupNLFunctions.Sine ? null : value;
    }

    /// <summary>p of a monomial sign(u) |u|^p; 0 for every other function.</summary>
    public int Power { get; init; }

    /// <summary>Whether it is a radial basis function, of u^2.</summary>
    internal bool IsRadial => Name is not (GroupNLFunctions.Sine or GroupNLFunctions.Monomial);

    /// <summary>A function without a power.</summary>
    public static GroupNLFunction Of(string name) => new() { Name = name };

    /// <summary>sign(u) |u|^<paramref name="power"/>.</summary>
    public static GroupNLFunction Monomial(int power) => new() { Name = GroupNLFunctions.Monomial, Power = power };

    /// <summary>The name, and the power of a monomial, as <see cref="GroupNLExpandOptions.Parse"/> reads them.</summary>
    public override string ToString() => Power == 0 ? Name : FormattableString.Invariant($"{Name},power={Power}");
}
