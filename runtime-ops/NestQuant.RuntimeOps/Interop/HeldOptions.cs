using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;

namespace NestQuant.RuntimeOps.Interop;

/// <summary>Session options of the C# API, kept alive while the C API uses them.</summary>
internal readonly unsafe partial struct HeldOptions : IDisposable
{
    private readonly SessionOptions _options;
    private readonly bool _isHeld;

    /// <summary>Holds options until <see cref="Dispose"/>.</summary>
    /// <param name="options">The options.</param>
    public HeldOptions(SessionOptions options)
    {
        _options = options;
        options.DangerousAddRef(ref _isHeld);
    }

    /// <summary>The ONNX Runtime of the C# API.</summary>
    public static OrtApiBase* ApiBase => (OrtApiBase*)GetApiBase();

    /// <summary>Its functions.</summary>
    /// <exception cref="PlatformNotSupportedException">It is too old.</exception>
    public static OrtApi Api => new(OrtApi.GetTable(ApiBase));

    /// <summary>The <c>OrtSessionOptions</c>.</summary>
    public void* Address => (void*)_options.DangerousGetHandle();

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_isHeld)
            _options.DangerousRelease();
    }

    [LibraryImport("onnxruntime", EntryPoint = "OrtGetApiBase")]
    private static partial nint GetApiBase();
}
