namespace NestQuant.RuntimeOps.Kernels;

/// <summary>Integers of 32 or of 64 bits, whichever a tensor has.</summary>
/// <param name="narrow">Those of 32 bits, or null.</param>
/// <param name="wide">Those of 64 bits; read where the others are null.</param>
internal readonly unsafe struct IndexList(int* narrow, long* wide)
{
    private readonly int* _narrow = narrow;
    private readonly long* _wide = wide;

    /// <summary>An integer.</summary>
    /// <param name="position">Its place; the caller keeps to the tensor's elements.</param>
    public long this[long position] => _narrow != null ? _narrow[position] : _wide[position];
}
