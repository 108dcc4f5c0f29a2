using System.Buffers;

namespace NestQuant.Onnx.Files;

/// <summary>Buffers a stream, for a serializer that writes into memory it asks for.</summary>
internal sealed class BufferedOutput(Stream stream, CancellationToken cancellationToken) : IBufferWriter<byte>
{
    private const int BufferSize = 1 << 20;
    private const int PageSize = 4096;

    private byte[] _buffer = new byte[BufferSize];
    private int _used;

    public void Advance(int count)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)count, (uint)(_buffer.Length - _used), nameof(count));
        _used += count;
    }

    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        var wanted = Math.Max(sizeHint, 1);
        if (_buffer.Length - _used < wanted)
            Write(_used / PageSize * PageSize);
        if (_buffer.Length - _used < wanted)
            Array.Resize(ref _buffer, _used + wanted);
        return _buffer.AsMemory(_used);
    }

    public Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;

    public void Flush() => Write(_used);

    // Writes whole pages until the end: the file system handles a page that is written in two parts twice.
    private void Write(int count)
    {
        cancellationToken.ThrowIfCancellationRequested();
        stream.Write(_buffer, 0, count);
        _buffer.AsSpan(count, _used - count).CopyTo(_buffer);
        _used -= count;
    }
}

/// <summary>A destination of known size, so that serialising into memory needs neither growing nor a second copy.</summary>
internal sealed class ArrayOutput(byte[] array) : IBufferWriter<byte>
{
    private int _used;

    // A serializer may ask for more room than it will use, beyond what is left at the end.
    private byte[]? _tail;

    public void Advance(int count)
    {
        if (_tail is not null)
        {
            _tail.AsSpan(0, count).CopyTo(array.AsSpan(_used));
            _tail = null;
        }

        _used += count;
        ArgumentOutOfRangeException.ThrowIfGreaterThan(_used, array.Length, nameof(count));
    }

    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        var rest = array.AsMemory(_used);
        if (rest.Length >= Math.Max(sizeHint, 1))
        {
            _tail = null;
            return rest;
        }

        _tail = new byte[Math.Max(sizeHint, 1)];
        return _tail;
    }

    public Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;
}
