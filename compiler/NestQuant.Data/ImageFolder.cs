using NestQuant.Onnx;

namespace NestQuant.Data;

/// <summary>
/// PNG and JPEG pictures below a folder, in ordinal order of their relative paths. Directly inside the folder they have no labels
/// of their own; in sub-folders the label is the position of the sub-folder in ordinal order of names.
/// </summary>
internal sealed class ImageFolder : Dataset
{
    private readonly string[] _files;
    private readonly long[]? _labels;
    private readonly ImageOptions _options;

    public ImageFolder(string path, DatasetOptions options)
        : base(path)
    {
        _options = CheckOptions(options.Image);
        string[] classes = [.. Directory.GetDirectories(path).Order(StringComparer.Ordinal)];
        string[] direct = Pictures(path);
        string[][] perClass = [.. classes.Select(Pictures)];
        if (direct.Length > 0 && perClass.Any(files => files.Length > 0))
            throw new ModelException($"{path}: pictures lie both in the folder and in its sub-folders: keep one form");
        _files = direct.Length > 0 ? direct : [.. perClass.SelectMany(files => files)];
        if (_files.Length == 0)
            throw new ModelException($"{path}: neither test_data_set_* folders, .npy files nor .png or .jpg pictures are here");
        _labels = LabelFile.ReadOptional(options.Labels);
        if (_labels is null && direct.Length == 0)
            _labels = [.. perClass.SelectMany((files, label) => files.Select(_ => (long)label))];
        LabelFile.CheckCount(path, Count, _labels);
    }

    public override long Count => _files.Length;

    public override bool HasLabels => _labels is not null;

    public override IEnumerable<DatasetBatch> ReadBatches(int size)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(size);
        return Read(size);
    }

    private IEnumerable<DatasetBatch> Read(int size)
    {
        int imageLength = checked(_options.Channels * _options.Height * _options.Width);
        for (int first = 0; first < _files.Length; first += size)
        {
            int count = Math.Min(size, _files.Length - first);
            float[] values = new float[checked(count * imageLength)];
            for (int i = 0; i < count; i++)
                ImageReader.Read(_files[first + i], _options, values.AsSpan(i * imageLength, imageLength));
            NpyArray array = NpyArray.FromFloats([count, _options.Channels, _options.Height, _options.Width], values);
            yield return new DatasetBatch([new NamedArray(null, array)], LabelFile.Slice(_labels, first, count));
        }
    }

    private static string[] Pictures(string folder) =>
    [
        .. Directory.GetFiles(folder)
            .Where(file => System.IO.Path.GetExtension(file).ToUpperInvariant() is ".PNG" or ".JPG" or ".JPEG")
            .Order(StringComparer.Ordinal),
    ];

    private static ImageOptions CheckOptions(ImageOptions options)
    {
        if (options.Channels is not (1 or 3))
            throw new ModelException($"pictures have 1 or 3 channels, the model wants {options.Channels}");
        if (options.Height < 1 || options.Width < 1)
            throw new ModelException("the size of the pictures is not known: say which size they are to have");
        options.CheckNormalisation(options.Channels);
        return options;
    }
}
