namespace NestQuant.RuntimeOps.Kernels.Emission;

/// <summary>Puts emitted functions into executable memory.</summary>
internal static unsafe class EmittedCode
{
    /// <summary>Makes code executable; see <see cref="ExecutableMemory.TryMap"/>.</summary>
    public delegate byte* MapCode(ReadOnlySpan<byte> code, out string? refusal);

    /// <summary>Maps functions for the rest of the process's life.</summary>
    /// <param name="functions">Their code.</param>
    /// <param name="map">Makes code executable.</param>
    /// <param name="refusal">Why there is no mapping; null on success.</param>
    /// <returns>Their addresses, or null.</returns>
    public static nint[]? TryMap(IReadOnlyList<byte[]> functions, MapCode map, out string? refusal)
    {
        List<byte> code = [];
        int[] offsets = new int[functions.Count];
        for (int i = 0; i < offsets.Length; i++)
        {
            code.AddRange(Enumerable.Repeat(Assembler.Trap, -code.Count & (Assembler.Alignment - 1)));
            offsets[i] = code.Count;
            code.AddRange(functions[i]);
        }

        byte* memory = map([.. code], out refusal);
        return memory == null ? null : [.. offsets.Select(offset => (nint)(memory + offset))];
    }
}
