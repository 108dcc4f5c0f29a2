namespace NestQuant.Passes.GroupNL.Recognition;

/// <summary>One dimension of a shape: a number, or the size of the seed maps [N, C, H, W] along an axis.</summary>
/// <param name="Value">The number; null when it is known only at run time.</param>
/// <param name="Axis">The axis, where <paramref name="Value"/> is null.</param>
internal readonly record struct Extent(long? Value, int Axis = -1)
{
    /// <summary>A number.</summary>
    public static implicit operator Extent(long value) => new(value);

    /// <summary>The size of the seed maps along an axis.</summary>
    public static Extent Of(int axis) => new(null, axis);
}
