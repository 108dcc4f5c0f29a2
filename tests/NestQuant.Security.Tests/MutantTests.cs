using NestQuant.Security.Tests.Fuzzing;
using NestQuant.Security.Tests.Fuzzing.Corpora;
using NestQuant.Security.Tests.Fuzzing.Mutations;

namespace NestQuant.Security.Tests;

public sealed class MutantTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("nestquant-mutants-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void A_seed_always_gives_the_same_mutant_and_every_mutation_finds_something_to_change()
    {
        Corpus corpus = CorpusBuilder.Build(_folder), again = new(_folder);
        var applied = new HashSet<string>(StringComparer.Ordinal);
        for (ulong seed = 0; seed < 3000; seed++)
        {
            var mutant = Mutant.Create(corpus, seed);
            applied.UnionWith(mutant.Mutations);
            if (seed < 100) Assert.Equal(mutant.Files, Mutant.Create(again, seed).Files);
        }

        Assert.Empty(ModelMutation.All.Select(static mutation => mutation.Name).Except(applied));
    }

    [Fact]
    public void The_lengths_in_a_message_are_found_at_every_depth()
    {
        byte[] message = [0x08, 0x96, 0x01, 0x12, 0x05, 0x0A, 0x03, (byte)'a', (byte)'b', (byte)'\x7F'];

        List<LengthField> lengths = LengthField.In(message);

        Assert.Equal([new LengthField(4, 1, 5), new LengthField(6, 1, 3)], lengths);
        Assert.Equal([0xAC, 0x02], LengthField.Encode(300));
    }
}
