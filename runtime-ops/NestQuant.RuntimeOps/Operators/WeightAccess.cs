namespace NestQuant.RuntimeOps.Operators;

/// <summary>How much of a weight a run reads.</summary>
internal enum WeightAccess
{
    /// <summary>All of it.</summary>
    Whole,

    /// <summary>A few rows, anywhere: reading ahead would bring in what nobody asks for.</summary>
    Rows,
}
