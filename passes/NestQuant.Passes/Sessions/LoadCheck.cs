using Microsoft.ML.OnnxRuntime;
using NestQuant.Onnx;
using NestQuant.RuntimeOps;

namespace NestQuant.Passes.Sessions;

/// <summary>
/// Opens models in ONNX Runtime as a user would, with all its optimizations except constant folding, so that a rewritten model that does
/// not load is never published.
/// </summary>
public static class LoadCheck
{
    /// <summary>Why ONNX Runtime does not load a model, with NestQuant's operators registered; null where it does.</summary>
    /// <param name="path">ONNX file, with its data files beside it.</param>
    /// <param name="customOps">Paths of libraries with further operators.</param>
    /// <exception cref="ModelException">A path is not that of such a library.</exception>
    public static string? WhyNot(string path, params IReadOnlyList<string> customOps)
    {
        ArgumentNullException.ThrowIfNull(path);
        ArgumentNullException.ThrowIfNull(customOps);
        using var options = new SessionOptions
        {
            IntraOpNumThreads = 1,
            InterOpNumThreads = 1,
            LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL,
        };
        options.RegisterNestQuantOps();
        options.Register(customOps);
        // ONNX Runtime would fold what the compiler left because of large results; that cost is not needed here.
        options.AddSessionConfigEntry("optimization.disable_specified_optimizers", "ConstantFolding");
        try
        {
            using var session = new InferenceSession(path, options);
            return null;
        }
        catch (OnnxRuntimeException e)
        {
            // One line, without the temporary path of a file that is not published yet.
            return string.Join(
                ' ',
                e.Message.Replace(path, Path.GetFileName(path), StringComparison.Ordinal)
                    .Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
        }
    }

    /// <summary>Fails where a model does not load.</summary>
    /// <param name="written">Paths of the written models.</param>
    /// <param name="customOps">Paths of libraries with operators that the models use.</param>
    /// <exception cref="ModelException">A model does not load.</exception>
    internal static void Require(IEnumerable<string> written, IReadOnlyList<string> customOps)
    {
        foreach (string path in written)
            if (WhyNot(path, customOps) is { } reason)
                throw new ModelException(
                    $"{Path.GetFileName(path)}: ONNX Runtime does not load the result: {reason}: name libraries with operators of the "
                        + "model's own (CheckOptions.CustomOps); if the source does load, this is a defect of the compiler; "
                        + "nothing was written");
    }

    /// <summary>Fails where a model does not load although its source does.</summary>
    /// <param name="written">Paths of the written models.</param>
    /// <param name="source">Path of their source.</param>
    /// <param name="customOps">Paths of libraries with operators that they use.</param>
    /// <returns>Why the check is inconclusive, since the source does not load either; null where all models load.</returns>
    /// <exception cref="ModelException">A model does not load, and the source does.</exception>
    public static string? Verify(IEnumerable<string> written, string source, params IReadOnlyList<string> customOps)
    {
        ArgumentNullException.ThrowIfNull(written);
        foreach (string path in written)
        {
            if (WhyNot(path, customOps) is not { } reason) continue;
            if (WhyNot(source, customOps) is { } inherited) return inherited;
            throw new ModelException(
                $"{Path.GetFileName(path)}: ONNX Runtime loads the source, but not the result: {reason}: this is a "
                    + "defect of the compiler, please report it; nothing was written");
        }

        return null;
    }
}
