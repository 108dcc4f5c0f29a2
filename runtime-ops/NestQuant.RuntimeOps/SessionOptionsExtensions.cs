using Microsoft.ML.OnnxRuntime;
using NestQuant.RuntimeOps.Interop;
using NestQuant.RuntimeOps.Kernels.Emission;
using NestQuant.RuntimeOps.Operators;
using static System.FormattableString;

namespace NestQuant.RuntimeOps;

/// <summary>Registers the operators with ONNX Runtime sessions of this process.</summary>
public static unsafe class SessionOptionsExtensions
{
    /// <summary>Makes the operators of <see cref="NestQuantOps.Domain"/> known to sessions created with these options.</summary>
    /// <param name="options">The options.</param>
    /// <returns>The same options.</returns>
    /// <exception cref="PlatformNotSupportedException">The ONNX Runtime in this process is too old.</exception>
    public static SessionOptions RegisterNestQuantOps(this SessionOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        using (HeldOptions held = new(options))
            OperatorRegistration.Register(held.Address, HeldOptions.ApiBase);
        if (options.IntraOpNumThreads > 0)
            options.AddSessionConfigEntry(NestQuantOps.ThreadsConfigEntry, Invariant($"{options.IntraOpNumThreads}"));
        return options;
    }
}
