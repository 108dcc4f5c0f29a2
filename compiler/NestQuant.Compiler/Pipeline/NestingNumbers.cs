namespace NestQuant.Compiler.Pipeline;

/// <summary>The numbers of one nested weight.</summary>
/// <param name="Levels">Its levels, full precision first: at least two.</param>
/// <param name="Weights">Number of weights.</param>
/// <param name="SourceBytes">Bytes of the weight in the source model.</param>
public sealed record NestingNumbers(IReadOnlyList<LevelNumbers> Levels, long Weights, long SourceBytes)
{
    /// <summary>Bytes of the packed high operand.</summary>
    public long HighBytes => Levels[^1].Bytes;

    /// <summary>Bytes of the packed low operands.</summary>
    public long LowBytes => Levels.SkipLast(1).Sum(static level => level.Bytes);

    /// <summary>The bits of the levels, for example <c>8:6</c>.</summary>
    public string Bits => string.Join(':', Levels.Select(static level => level.Bits));

    /// <inheritdoc/>
    public bool Equals(NestingNumbers? other) =>
        other is not null && Weights == other.Weights && SourceBytes == other.SourceBytes && Levels.SequenceEqual(other.Levels);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Bits, Weights, SourceBytes);
}

/// <summary>One level of a nested weight.</summary>
/// <param name="Bits">Bits of a weight.</param>
/// <param name="Bytes">Bytes of the operand that the level needs beyond those of the next lower one.</param>
/// <param name="SqnrDb">Signal to quantization-noise ratio of the weight in dB; infinite when it is exact.</param>
public sealed record LevelNumbers(int Bits, long Bytes, double SqnrDb);
