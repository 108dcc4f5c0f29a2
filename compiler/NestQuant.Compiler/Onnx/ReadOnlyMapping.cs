using System.Buffers;
using System.IO.MemoryMappedFiles;
using Microsoft.Win32.SafeHandles;

namespace NestQuant.Compiler.Onnx;

/// <summary>
/// A whole file mapped read-only. Nothing disposes it: the mapping lives as long as any memory over it, and its safe handle
/// releases it afterwards.
/// </summary>
internal sealed unsafe class ReadOnlyMapping
{
    private static readonly ReadOnlyMapping Empty = new();

    private readonly SafeMemoryMappedViewHandle? _handle;
    private readonly byte* _start;

    private ReadOnlyMapping()
    {
    }

    private ReadOnlyMapping(SafeMemoryMappedViewHandle handle, long length)
    {
        _handle = handle;
        Length = length;

        // The address is that of the whole mapping and stays valid until the handle is finalized, which cannot happen before this
        // object (and every memory over it) is unreachable. A lasting reference on the handle would keep it from ever being released.
        byte* pointer = null;
        handle.AcquirePointer(ref pointer);
        handle.ReleasePointer();
        _start = pointer;
    }

    /// <summary>Length of the file in bytes when it was mapped.</summary>
    public long Length { get; }

    /// <summary>Maps a file. The file itself is closed again; the mapping keeps its content reachable, also after a rename.</summary>
    /// <param name="file">An open, seekable file.</param>
    /// <returns>The mapping.</returns>
    public static ReadOnlyMapping Open(FileStream file)
    {
        var length = file.Length;
        if (length == 0)
            return Empty;
        using var mapped = MemoryMappedFile.CreateFromFile(
            file, mapName: null, capacity: 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: true);
        var view = mapped.CreateViewAccessor(0, length, MemoryMappedFileAccess.Read);
        return new ReadOnlyMapping(view.SafeMemoryMappedViewHandle, length);
    }

    /// <summary>A part of the file as memory.</summary>
    /// <param name="offset">First byte.</param>
    /// <param name="length">Number of bytes; offset + length must not exceed <see cref="Length"/>.</param>
    /// <returns>Memory that keeps the mapping alive.</returns>
    public ReadOnlyMemory<byte> Memory(long offset, int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(offset, Length - length);
        return new Owner(this, offset, length).Memory;
    }

    private sealed class Owner(ReadOnlyMapping mapping, long offset, int length) : MemoryManager<byte>
    {
        // In bounds: Memory() has checked 0 <= offset <= offset + length <= the length of the mapping.
        public override Span<byte> GetSpan() => new(mapping._start + offset, length);

        // A mapping does not move, so there is nothing to pin; the handle only carries the address.
        public override MemoryHandle Pin(int elementIndex = 0)
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)elementIndex, (uint)length, nameof(elementIndex));
            return new MemoryHandle(mapping._start + offset + elementIndex, pinnable: this);
        }

        public override void Unpin()
        {
        }

        protected override void Dispose(bool disposing)
        {
        }
    }
}

/// <summary>A part of a mapped file, of any length.</summary>
/// <param name="Mapping">The file.</param>
/// <param name="Offset">First byte, within the file.</param>
/// <param name="Length">Number of bytes, within the file.</param>
internal readonly record struct MappedRegion(ReadOnlyMapping Mapping, long Offset, long Length)
{
    /// <summary>A part of the region as memory.</summary>
    public ReadOnlyMemory<byte> Memory(long start, int length) => Mapping.Memory(Offset + start, length);
}
