namespace NestQuant.Compiler.Cli.Tests;

/// <summary>An empty folder that is removed after the test. Its name holds a space, as users' folders do.</summary>
internal sealed class TestFolder : IDisposable
{
    public string Root { get; } = Directory.CreateTempSubdirectory("nestquant tests ").FullName;

    public string this[string name] => Path.Combine(Root, name);

    /// <summary>Files and folders below the root, relative, in ordinal order.</summary>
    public IReadOnlyList<string> Entries =>
        [
            .. Directory.EnumerateFileSystemEntries(Root, "*", SearchOption.AllDirectories)
                .Select(entry => Path.GetRelativePath(Root, entry))
                .Order(StringComparer.Ordinal)
        ];

    public string Write(string name, ReadOnlySpan<byte> content)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(this[name])!);
        File.WriteAllBytes(this[name], content);
        return this[name];
    }

    public void Dispose() => Directory.Delete(Root, recursive: true);
}
