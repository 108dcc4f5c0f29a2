namespace NestQuant.Onnx.Files.Transactions;

/// <summary>Announces each change to the file system, so that a test can end the process before any one of them.</summary>
internal static class FileOperation
{
    [ThreadStatic]
    private static Action? before;

    /// <summary>Called before each change that this thread makes; null except in tests.</summary>
    public static Action? Before
    {
        get => before;
        set => before = value;
    }

    /// <summary>To be called before each change.</summary>
    public static void Announce() => before?.Invoke();
}
