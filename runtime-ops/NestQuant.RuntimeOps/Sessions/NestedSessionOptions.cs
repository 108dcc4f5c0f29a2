using Microsoft.ML.OnnxRuntime;
using NestQuant.RuntimeOps.Sessions.Policies;

namespace NestQuant.RuntimeOps.Sessions;

/// <summary>How a <see cref="NestedSession"/> is opened.</summary>
public sealed class NestedSessionOptions
{
    /// <summary>Sets ONNX Runtime's options; called for every model that the session opens. The operators are registered already.</summary>
    public Action<SessionOptions>? Configure { get; set; }

    /// <summary>Bits of the precision at the start; null for the highest that the files allow.</summary>
    public int? Bits { get; set; }

    /// <summary>
    /// Inputs of runs that are made before a model is used, twice at each precision: no later run waits until code is compiled, memory is
    /// set up or weights are read. Without <c>nest_bits</c>; null for no such runs. They live as long as the session.
    /// </summary>
    public IReadOnlyDictionary<string, OrtValue>? WarmUp { get; set; }

    /// <summary>Chooses the precision from time to time; null where only the host does.</summary>
    public IPrecisionPolicy? Policy { get; set; }

    /// <summary>Time between two choices of the policy; one second unless set, at least a millisecond.</summary>
    public TimeSpan PolicyInterval { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>The clock of the policy.</summary>
    public TimeProvider Clock { get; set; } = TimeProvider.System;

    /// <summary>
    /// Takes the messages of ONNX Runtime about this session, from the level that its options set; null for the process's error output.
    /// Its advice against the precision input being both input and initializer, which is what lets runs switch, is left out.
    /// </summary>
    public Action<OrtLoggingLevel, string>? Log { get; set; }
}
