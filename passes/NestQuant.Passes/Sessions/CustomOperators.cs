using Microsoft.ML.OnnxRuntime;
using NestQuant.Onnx;

namespace NestQuant.Passes.Sessions;

/// <summary>Libraries with operators of other domains that a model uses.</summary>
internal static class CustomOperators
{
    /// <summary>Lets a session use the operators of libraries.</summary>
    /// <exception cref="ModelException">A path is not that of such a library.</exception>
    public static void Register(this SessionOptions options, IReadOnlyList<string> libraries)
    {
        foreach (string library in libraries) Register(options, library);
    }

    private static void Register(SessionOptions options, string library)
    {
        // A name without a folder would be searched for on the system's library path.
        string path = Path.GetFullPath(library);
        if (!File.Exists(path)) throw new ModelException($"{library}: no such operator library");
        try
        {
            options.RegisterCustomOpLibrary(path);
        }
        catch (Exception e) when (e is OnnxRuntimeException or DllNotFoundException or EntryPointNotFoundException)
        {
            throw new ModelException($"{library}: is not a library of ONNX Runtime operators: {e.Message}", e);
        }
    }
}
