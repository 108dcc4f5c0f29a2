using NestQuant.Onnx;

namespace NestQuant.Security.Tests.Fuzzing.Mutations;

/// <summary>Tensors whose content lies elsewhere than it should, or whose entries contradict each other.</summary>
internal static class ExternalDataMutations
{
    private static readonly string[] s_keys = ["location", "offset", "length", "checksum", "basepath", "", "LOCATION"];

    public static IReadOnlyList<ModelMutation> All { get; } =
    [
        Of("other location", static (entries, random) => Set(entries, "location", Extremes.Path(random))),
        Of("other offset", static (entries, random) => Set(entries, "offset", Extremes.Number(random))),
        Of("other length", static (entries, random) => Set(entries, "length", Extremes.Number(random))),
        Of("duplicate entry", static (entries, random) => entries.Add(random.Pick(entries))),
        Of("contradicting entry", static (entries, random) =>
            entries.Add(new StringStringEntryProto(random.Pick(s_keys), Extremes.Path(random)))),
        Of("remove entry", static (entries, random) => entries.RemoveAt(random.Next(entries.Count))),
        new("external content and its own", static parts =>
        {
            if (parts.Tensors.Find(static tensor => tensor.IsExternal) is not { } tensor) return false;
            tensor.FloatData.Add(1);
            return true;
        }),
        new("content becomes external", static parts =>
        {
            if (parts.Tensor() is not { } tensor) return false;
            tensor.RawData = null;
            tensor.DataLocation = TensorDataLocation.External;
            tensor.ExternalData.Add(new StringStringEntryProto("location", Extremes.Path(parts.Random)));
            if (parts.Random.OneIn(2)) tensor.ExternalData.Add(new StringStringEntryProto("offset", Extremes.Number(parts.Random)));
            if (parts.Random.OneIn(2)) tensor.ExternalData.Add(new StringStringEntryProto("length", Extremes.Number(parts.Random)));
            return true;
        }),
    ];

    private static void Set(List<StringStringEntryProto> entries, string key, string value)
    {
        entries.RemoveAll(entry => entry.Key == key);
        entries.Add(new StringStringEntryProto(key, value));
    }

    private static ModelMutation Of(string name, Action<List<StringStringEntryProto>, SeededRandom> change) => new(name, parts =>
    {
        List<TensorProto> tensors = parts.Tensors.FindAll(static tensor => tensor.ExternalData.Count > 0);
        if (tensors.Count == 0) return false;
        change(parts.Random.Pick(tensors).ExternalData, parts.Random);
        return true;
    });
}
