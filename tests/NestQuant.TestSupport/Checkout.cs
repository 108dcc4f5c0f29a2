namespace NestQuant.TestSupport;

/// <summary>The checkout that the test assembly was built in.</summary>
public static class Checkout
{
    /// <summary>Full path of the folder with the solution.</summary>
    public static string Root { get; } = Find(new DirectoryInfo(AppContext.BaseDirectory));

    private static string Find(DirectoryInfo? folder)
    {
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "NestQuant.Compiler.sln"))) folder = folder.Parent;
        return folder?.FullName ?? throw new InvalidOperationException("the tests do not run in a checkout");
    }
}
