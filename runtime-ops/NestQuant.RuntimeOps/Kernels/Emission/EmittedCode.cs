namespace NestQuant.RuntimeOps.Kernels.Emission;

/// <summary>Puts emitted functions into executable memory.</summary>
internal static unsafe class EmittedCode
{
    /// <summary>The address of a function for which the system had no executable memory.</summary>
    public const nint Refused = -1;

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

    /// <summary>Maps a function that is emitted when it is first used.</summary>
    /// <param name="entry">
    /// Receives its address, or <see cref="Refused"/>. Two threads may map the same function: both work, and the second is kept.
    /// </param>
    /// <param name="code">Its code.</param>
    /// <param name="map">Makes code executable.</param>
    public static void Map(ref nint entry, byte[] code, MapCode map) =>
        Volatile.Write(ref entry, TryMap([code], map, out _)?[0] ?? Refused);
}
