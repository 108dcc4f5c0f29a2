using System.Runtime.CompilerServices;
using NestQuant.RuntimeOps.Kernels.Execution;

namespace NestQuant.RuntimeOps.Kernels;

/// <summary>A table of 256 bytes, applied to every byte of a tensor.</summary>
internal sealed unsafe class ByteLookup
{
    /// <summary>Entries of a table: one for every byte.</summary>
    public const int TableLength = 256;

    private const int BytesPerPart = 64 * 1024;

    private readonly byte* _x;
    private readonly byte* _table;
    private readonly byte* _y;
    private readonly long _count;

    private ByteLookup(byte* x, byte* table, byte* y, long count)
    {
        _x = x;
        _table = table;
        _y = y;
        _count = count;
    }

    /// <summary>Computes y = table[x].</summary>
    /// <param name="x">count bytes; may be <paramref name="y"/>.</param>
    /// <param name="table">256 bytes.</param>
    /// <param name="y">Receives count bytes.</param>
    /// <param name="count">How many.</param>
    /// <param name="loop">Runs the parts.</param>
    public static void Run(byte* x, byte* table, byte* y, long count, ParallelLoop loop)
    {
        if (count == 0)
            return;
        ByteLookup lookup = new(x, table, y, count);
        loop.Run(checked((int)((count + BytesPerPart - 1) / BytesPerPart)), lookup.RunPart);
    }

    [MethodImpl(MethodCompilation.Loops)]
    private void RunPart(int part)
    {
        // In bounds: parts end at or before count, and a byte is an index below 256. Eight at a time: one load and one store for eight
        // lookups.
        long first = (long)part * BytesPerPart;
        long end = Math.Min(first + BytesPerPart, _count);
        byte* x = _x;
        byte* y = _y;
        byte* table = _table;
        long i = first;
        for (; i <= end - sizeof(ulong); i += sizeof(ulong))
        {
            ulong eight = *(ulong*)(x + i);
            ulong low = table[(byte)eight] | ((uint)table[(byte)(eight >> 8)] << 8) | ((uint)table[(byte)(eight >> 16)] << 16) | (
                (uint)table[(byte)(eight >> 24)] << 24);
            uint high = table[(byte)(eight >> 32)] | ((uint)table[(byte)(eight >> 40)] << 8) | (
                (uint)table[(byte)(eight >> 48)] << 16) | ((uint)table[eight >> 56] << 24);
            *(ulong*)(y + i) = low | ((ulong)high << 32);
        }

        for (; i < end; i++)
            y[i] = table[x[i]];
    }
}
