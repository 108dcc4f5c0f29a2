using System.Collections.Concurrent;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace NestQuant.Passes.Nesting.Calibrated;

/// <summary>
/// Values of a network by name and sample: in memory up to a limit, in temporary files beyond it. Samples of one value may be added and
/// read by several threads.
/// </summary>
/// <param name="samples">Number of samples.</param>
/// <param name="limit">Most bytes to keep in memory.</param>
internal sealed class StoredValues(int samples, long limit) : IDisposable
{
    private readonly ConcurrentDictionary<string, Stored> _values = new(StringComparer.Ordinal);
    private long _inMemory;

    /// <summary>The values that there are.</summary>
    public ICollection<string> Names => _values.Keys;

    /// <summary>Whether a value is there.</summary>
    public bool Contains(string name) => _values.ContainsKey(name);

    /// <summary>Adds a sample of a value, which belongs to this object from now on.</summary>
    public void Add(string name, int sample, OrtValue value)
    {
        Stored stored = _values.GetOrAdd(name, static (_, count) => new Stored(count), samples);
        long bytes = value.GetTensorSizeInBytes();
        if (Interlocked.Add(ref _inMemory, bytes) <= limit)
        {
            stored.Values[sample] = value;
            return;
        }

        Interlocked.Add(ref _inMemory, -bytes);
        stored.Spill(sample, value);
        value.Dispose();
    }

    /// <summary>A sample of a value; it is valid until it is disposed of, or its value removed.</summary>
    public Lease Get(string name, int sample) => _values[name].Get(sample);

    /// <summary>Forgets a value.</summary>
    public void Remove(string name)
    {
        if (!_values.TryRemove(name, out Stored? stored)) return;
        Interlocked.Add(ref _inMemory, -stored.Values.Sum(static value => value?.GetTensorSizeInBytes() ?? 0));
        stored.Dispose();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (string name in Names) Remove(name);
    }

    /// <summary>A value that may have been read for its user alone.</summary>
    /// <param name="Value">The value.</param>
    /// <param name="IsOwned">Whether the user disposes of it.</param>
    public readonly record struct Lease(OrtValue Value, bool IsOwned) : IDisposable
    {
        /// <inheritdoc/>
        public void Dispose()
        {
            if (IsOwned) Value.Dispose();
        }
    }

    /// <summary>The samples of one value.</summary>
    private sealed class Stored(int samples) : IDisposable
    {
        private readonly (long Offset, TensorElementType Type, long[] Shape)[] _places = new (long, TensorElementType, long[])[samples];
        private readonly Lock _lock = new();
        private FileStream? _file;

        public OrtValue?[] Values { get; } = new OrtValue?[samples];

        public void Spill(int sample, OrtValue value)
        {
            OrtTensorTypeAndShapeInfo info = value.GetTensorTypeAndShape();
            ReadOnlySpan<byte> bytes = value.GetTensorMutableRawData();
            lock (_lock)
            {
                _file ??= new FileStream(
                    Path.Combine(Path.GetTempPath(), Path.GetRandomFileName()),
                    FileMode.CreateNew,
                    FileAccess.ReadWrite,
                    FileShare.None,
                    bufferSize: 0,
                    FileOptions.DeleteOnClose);
                _places[sample] = (_file.Length, info.ElementDataType, info.Shape);
                RandomAccess.Write(_file.SafeFileHandle, bytes, _file.Length);
            }
        }

        public Lease Get(int sample)
        {
            if (Values[sample] is { } kept) return new Lease(kept, IsOwned: false);
            (long offset, TensorElementType type, long[] shape) = _places[sample];
            OrtValue value = OrtValue.CreateAllocatedTensorValue(OrtAllocator.DefaultInstance, type, shape);
            Span<byte> bytes = value.GetTensorMutableRawData();
            for (int read = 0; read < bytes.Length;)
                read += RandomAccess.Read(_file!.SafeFileHandle, bytes[read..], offset + read) is > 0 and int count
                    ? count
                    : throw new EndOfStreamException("a temporary file of calibration is shorter than what was written to it");
            return new Lease(value, IsOwned: true);
        }

        public void Dispose()
        {
            foreach (OrtValue? value in Values) value?.Dispose();
            _file?.Dispose();
        }
    }
}
