using NestQuant.Onnx;
using NestQuant.Onnx.Files;
using NestQuant.Security.Tests.Fuzzing.Corpora;
using NestQuant.Security.Tests.Fuzzing.Mutations;

namespace NestQuant.Security.Tests.Fuzzing;

/// <summary>A good model with damage that follows from a seed.</summary>
/// <param name="Seed">What the damage follows from.</param>
/// <param name="Original">What was damaged.</param>
/// <param name="Files">The damaged model and its data files, by name.</param>
/// <param name="Mutations">What was done to it.</param>
/// <param name="OnlyOperators">Whether only NestQuant's operators and their operands were touched, and no other part of the graph.</param>
internal sealed record Mutant(
    ulong Seed, CorpusModel Original, IReadOnlyDictionary<string, byte[]> Files, IReadOnlyList<string> Mutations, bool OnlyOperators)
{
    private const int MostMutations = 4;

    /// <summary>The mutant of a seed: always the same for the same models.</summary>
    public static Mutant Create(Corpus corpus, ulong seed)
    {
        var random = new SeededRandom(seed);
        CorpusModel original = corpus.Pick(random);
        SortedDictionary<string, byte[]> files = original.Files();
        var applied = new List<string>();
        bool onlyOperators = original.IsCompiled && random.OneIn(3);
        string[] data = [.. files.Keys.Where(static name => name != CorpusModel.ModelName)];
        if (data.Length > 0 && random.OneIn(6))
        {
            string name = random.Pick(data);
            files[name] = ByteMutations.Damage(files[name], random);
            applied.Add($"damage {name}");
        }

        if (applied.Count == 0 || random.OneIn(2))
            files[CorpusModel.ModelName] = Mutate(original, random, corpus, onlyOperators, applied);
        return new Mutant(seed, original, files, applied, onlyOperators);
    }

    /// <summary>Writes the files into a folder.</summary>
    public void Write(string folder)
    {
        Directory.CreateDirectory(folder);
        foreach ((string name, byte[] content) in Files) File.WriteAllBytes(Path.Combine(folder, name), content);
    }

    private static byte[] Mutate(CorpusModel original, SeededRandom random, Corpus corpus, bool onlyOperators, List<string> applied)
    {
        byte[] bytes = original.Files()[CorpusModel.ModelName];
        bool wire = !onlyOperators && random.OneIn(8);
        if (!wire || random.OneIn(2))
        {
            ModelProto model = ModelFile.Load(bytes);
            // Mostly one: the more damage, the sooner it is noticed.
            int count = random.OneIn(2) ? 1 : random.Next(1, MostMutations + 1);
            for (; count > 0; count--) applied.Add(Apply(model, random, corpus, onlyOperators));
            bytes = MessageBytes.Of(model);
        }

        if (!wire) return bytes;
        applied.Add("damage bytes");
        return ByteMutations.DamageMessage(bytes, random);
    }

    private static string Apply(ModelProto model, SeededRandom random, Corpus corpus, bool onlyOperators)
    {
        ModelProto Donor() => ModelFile.Load(corpus.Pick(random).Files()[CorpusModel.ModelName]);
        ModelParts parts = onlyOperators ? ModelParts.OfOperators(model, random, Donor) : ModelParts.Of(model, random, Donor);
        IReadOnlyList<ModelMutation> mutations = onlyOperators ? ModelMutation.Local : ModelMutation.All;
        for (int attempts = 0; attempts < 100; attempts++)
        {
            ModelMutation mutation = random.Pick(mutations);
            if (mutation.Apply(parts)) return mutation.Name;
        }

        return "nothing";
    }
}
