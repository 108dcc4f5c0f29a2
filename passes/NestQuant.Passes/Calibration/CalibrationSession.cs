using Microsoft.ML.OnnxRuntime;
using NestQuant.Onnx;
using NestQuant.Onnx.Files;
using NestQuant.Passes.Sessions;
using NestQuant.RuntimeOps;

namespace NestQuant.Passes.Calibration;

/// <summary>Sessions of one thread, so that the values of a run do not depend on the number of threads.</summary>
internal static class CalibrationSession
{
    /// <summary>Loads a model.</summary>
    /// <param name="model">The model.</param>
    /// <param name="customOps">Paths of libraries with operators that it uses.</param>
    /// <exception cref="ModelException">ONNX Runtime refuses the model or a library.</exception>
    public static InferenceSession Open(ModelProto model, IReadOnlyList<string> customOps)
    {
        using var options = new SessionOptions
        {
            IntraOpNumThreads = 1,
            InterOpNumThreads = 1,
            LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL,
        };
        options.RegisterNestQuantOps();
        options.Register(customOps);
        try
        {
            return new InferenceSession(ModelFile.ToBytes(model), options);
        }
        catch (OnnxRuntimeException e)
        {
            throw new ModelException($"the model cannot be calibrated: ONNX Runtime does not load it: {e.Message}", e);
        }
    }
}
