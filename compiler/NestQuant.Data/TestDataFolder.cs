using System.Globalization;

namespace NestQuant.Data;

/// <summary>
/// ONNX's own form of test data: folders <c>test_data_set_N</c> with <c>input_K.pb</c> and <c>output_K.pb</c>, each a TensorProto.
/// A set is one batch; a folder that holds the files directly is a data set with one batch.
/// </summary>
internal sealed class TestDataFolder : Dataset
{
    private const string SetPrefix = "test_data_set_";

    private readonly string[] _sets;
    private readonly long[]? _labels;

    public TestDataFolder(string path, DatasetOptions options)
        : base(path)
    {
        _sets = FindSets(path);
        Count = _sets.Sum(set => Samples(ReadArrays(set, "input_")));
        _labels = LabelFile.ReadOptional(options.Labels);
        LabelFile.CheckCount(path, Count, _labels);
    }

    public override long Count { get; }

    public override bool FreeBatches => false;

    public override bool HasLabels => _labels is not null;

    /// <summary>True when a folder has this form.</summary>
    public static bool IsTestData(string path) => FindSets(path).Length > 0;

    public override IEnumerable<DatasetBatch> ReadBatches(int size)
    {
        long first = 0;
        foreach (string set in _sets)
        {
            NamedArray[] inputs = ReadArrays(set, "input_");
            NamedArray[] outputs = ReadArrays(set, "output_");
            long samples = Samples(inputs);
            yield return new DatasetBatch(inputs, LabelFile.Slice(_labels, first, samples), outputs.Length > 0 ? outputs : null);
            first += samples;
        }
    }

    private static string[] FindSets(string path)
    {
        if (File.Exists(System.IO.Path.Combine(path, "input_0.pb")))
            return [path];
        return
        [
            .. Directory.GetDirectories(path, SetPrefix + "*")
                .Where(folder => File.Exists(System.IO.Path.Combine(folder, "input_0.pb")))
                .OrderBy(folder => Number(System.IO.Path.GetFileName(folder)))
                .ThenBy(folder => folder, StringComparer.Ordinal),
        ];
    }

    private static int Number(string folder) =>
        int.TryParse(folder.AsSpan(SetPrefix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out int number)
            ? number
            : int.MaxValue;

    private static long Samples(NamedArray[] inputs) => inputs[0].Array.Shape.Count == 0 ? 1 : inputs[0].Array.Shape[0];

    private static NamedArray[] ReadArrays(string folder, string prefix)
    {
        var arrays = new List<NamedArray>();
        for (int i = 0; ; i++)
        {
            string path = System.IO.Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"{prefix}{i}.pb"));
            if (!File.Exists(path))
                return [.. arrays];
            arrays.Add(TensorFile.Read(path));
        }
    }
}
