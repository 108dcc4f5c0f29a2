namespace NestQuant.Security.Tests.Fuzzing.Corpora;

/// <summary>The good models that mutants are made of.</summary>
internal sealed class Corpus
{
    /// <summary>What the names of golden models begin with. They are larger, so that mutants of them are fewer.</summary>
    public const string GoldenPrefix = "golden";

    private readonly CorpusModel[] _tiny;
    private readonly CorpusModel[] _golden;

    /// <param name="folder">Where <see cref="CorpusBuilder"/> put them.</param>
    public Corpus(string folder)
    {
        ILookup<bool, CorpusModel> models = Directory.GetDirectories(folder).Order(StringComparer.Ordinal)
            .Select(static path => new CorpusModel(path))
            .ToLookup(static model => model.Name.StartsWith(GoldenPrefix, StringComparison.Ordinal));
        (_tiny, _golden) = ([.. models[false]], [.. models[true]]);
    }

    public CorpusModel Pick(SeededRandom random) => random.Pick(random.OneIn(12) ? _golden : _tiny);
}
