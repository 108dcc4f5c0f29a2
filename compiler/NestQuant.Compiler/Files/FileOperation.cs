namespace NestQuant.Compiler.Files;

/// <summary>Announces each change to the file system, so that a test can end the process before any one of them.</summary>
internal static class FileOperation
{
    /// <summary>Called before each change; null but in tests.</summary>
    public static Action? Before { get; set; }

    /// <summary>To be called before each change.</summary>
    public static void Announce() => Before?.Invoke();
}
