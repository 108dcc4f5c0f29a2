using System.Globalization;
using NestQuant.Onnx;
using NestQuant.Onnx.Files;

namespace NestQuant.Data;

/// <summary>Integer class labels: a one-dimensional <c>.npy</c> array, or text with one label per line.</summary>
internal static class LabelFile
{
    /// <summary>Reads a file of labels; null when no path is given.</summary>
    /// <exception cref="ModelException">The file is missing or holds something else.</exception>
    public static long[]? ReadOptional(string? path) => path is null ? null : Read(path);

    /// <summary>The labels in an array.</summary>
    /// <exception cref="ModelException">The array is not one-dimensional, or not of integers.</exception>
    public static long[] FromArray(NpyArray array, string name)
    {
        // A column of a table becomes [N, 1], which is as unambiguous as [N].
        if (array.Shape.Count is < 1 or > 2 || array.Shape.Skip(1).Any(extent => extent != 1))
            throw new ModelException($"{name}: labels are a one-dimensional array, this one has shape ({string.Join(", ", array.Shape)})");
        if (array.Type is >= NpyType.Float16 or NpyType.Boolean)
            throw new ModelException($"{name}: labels are integers, these are {array.Type}");
        return array.ToInt64s();
    }

    /// <summary>Fails when there are labels but not one per sample.</summary>
    /// <exception cref="ModelException">The counts differ.</exception>
    public static void CheckCount(string dataPath, long samples, long[]? labels)
    {
        if (labels is not null && labels.Length != samples)
            throw new ModelException($"{dataPath}: {samples} samples, but {labels.Length} labels");
    }

    /// <summary>Some consecutive labels, or null when there are none.</summary>
    public static IReadOnlyList<long>? Slice(long[]? labels, long first, long count) =>
        labels is null ? null : (IReadOnlyList<long>)new ArraySegment<long>(labels, (int)first, (int)count);

    private static long[] Read(string path)
    {
        if (path.EndsWith(".npy", StringComparison.OrdinalIgnoreCase))
            return FromArray(NpyArray.Read(path), path);
        if (!path.EndsWith(".txt", StringComparison.OrdinalIgnoreCase))
            throw new ModelException($"{path}: labels are a .npy array or a .txt file with one integer a line");
        ReadOnlySpan<byte> text = InputFile.ReadAll(path);
        text = text.TrimEnd(" \t\r\n"u8);
        var labels = new long[text.Count((byte)'\n') + 1];
        int line = 0;
        foreach (Range range in text.Split((byte)'\n'))
        {
            if (
                !long.TryParse(
                    text[range].Trim(" \t\r"u8), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out labels[line++]))
                throw new ModelException($"{path}: line {line} is not an integer label");
        }

        return labels;
    }
}
