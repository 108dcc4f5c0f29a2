using NestQuant.Onnx;

namespace NestQuant.Security.Tests.Fuzzing.Mutations;

/// <summary>Versions, imports and metadata.</summary>
internal static class HeaderMutations
{
    public static IReadOnlyList<ModelMutation> All { get; } =
    [
        new("other IR version", static parts =>
        {
            parts.Model.IrVersion = parts.Random.OneIn(4) ? Extremes.Integer(parts.Random) : parts.Random.Next(1, 14);
            return true;
        }),
        Of("other operator set", static (imports, random) =>
            random.Pick(imports).Version = random.OneIn(4) ? Extremes.Integer(random) : random.Next(1, 27)),
        Of("remove import", static (imports, random) => imports.RemoveAt(random.Next(imports.Count))),
        Of("duplicate import", static (imports, random) => imports.Add(random.Pick(imports))),
        Of("additional import", static (imports, random) =>
            imports.Add(new OperatorSetIdProto { Domain = Extremes.Text(random), Version = Extremes.Integer(random) })),
        OfMetadata("other metadata", static (entry, random) => entry.Value = Extremes.Json(random)),
        OfMetadata("cut metadata", static (entry, random) => entry.Value = entry.Value[..random.Next(entry.Value.Length + 1)]),
        OfMetadata("damaged metadata", static (entry, random) =>
        {
            if (entry.Value.Length == 0) return;
            int at = random.Next(entry.Value.Length);
            entry.Value = entry.Value[..at] + random.Pick(["\"", "}", "]", ",", "-", "\u001b", "null"]) + entry.Value[(at + 1)..];
        }),
        OfMetadata("other key of metadata", static (entry, random) => entry.Key = Extremes.Text(random)),
        new("duplicate metadata", static parts =>
        {
            List<StringStringEntryProto> entries = parts.Model.MetadataProps;
            if (entries.Count > 0) entries.Add(new StringStringEntryProto(parts.Random.Pick(entries).Key, Extremes.Json(parts.Random)));
            return entries.Count > 0;
        }),
    ];

    private static ModelMutation Of(string name, Action<List<OperatorSetIdProto>, SeededRandom> change) => new(name, parts =>
    {
        if (parts.Model.OpsetImport.Count == 0) return false;
        change(parts.Model.OpsetImport, parts.Random);
        return true;
    });

    private static ModelMutation OfMetadata(string name, Action<StringStringEntryProto, SeededRandom> change) => new(name, parts =>
    {
        if (parts.Model.MetadataProps.Count == 0) return false;
        change(parts.Random.Pick(parts.Model.MetadataProps), parts.Random);
        return true;
    });
}
