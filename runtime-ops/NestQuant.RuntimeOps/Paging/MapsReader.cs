using System.Buffers.Text;

namespace NestQuant.RuntimeOps.Paging;

/// <summary>A mapping of a process.</summary>
/// <param name="Start">Its first address.</param>
/// <param name="End">The address after its last.</param>
/// <param name="IsOfFile">Whether it is of a file on disk.</param>
internal readonly record struct Mapping(ulong Start, ulong End, bool IsOfFile);

/// <summary>
/// Reads lines of a maps file, <c>start-end permissions offset device inode path</c>. A process has hundreds, and every operand looks for
/// its own among them, so nothing is allocated for a line.
/// </summary>
/// <param name="maps">The file.</param>
/// <param name="buffer">Room for the longest line.</param>
internal ref struct MapsReader(Stream maps, Span<byte> buffer)
{
    // Permissions, offset and device stand between the addresses and the inode.
    private const int SpacesBeforeInode = 4;

    private readonly Span<byte> _buffer = buffer;
    private int _start;
    private int _filled;

    /// <summary>The next line's mapping; null at the end, and for a line that has none or is too long.</summary>
    public Mapping? Next()
    {
        int length;
        while ((length = _buffer[_start.._filled].IndexOf((byte)'\n')) < 0)
        {
            _buffer[_start.._filled].CopyTo(_buffer);
            _filled -= _start;
            _start = 0;
            int read = maps.Read(_buffer[_filled..]);
            if (read == 0)
                return null;
            _filled += read;
        }

        ReadOnlySpan<byte> line = _buffer.Slice(_start, length);
        _start += length + 1;
        return Parse(line);
    }

    private static Mapping? Parse(ReadOnlySpan<byte> line)
    {
        if (!TryReadAddress(ref line, out ulong start) || !TryReadAddress(ref line, out ulong end))
            return null;
        // The first of the spaces ended the second address.
        for (int space = 1; space < SpacesBeforeInode; space++)
            line = line[(line.IndexOf((byte)' ') + 1)..];
        return Utf8Parser.TryParse(line, out ulong inode, out _) ? new Mapping(start, end, inode != 0) : null;
    }

    private static bool TryReadAddress(ref ReadOnlySpan<byte> line, out ulong address)
    {
        if (!Utf8Parser.TryParse(line, out address, out int length, 'x') || length == line.Length)
            return false;
        line = line[(length + 1)..];
        return true;
    }
}
