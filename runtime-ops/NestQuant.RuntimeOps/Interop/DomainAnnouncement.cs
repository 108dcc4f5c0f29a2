using Microsoft.ML.OnnxRuntime;

namespace NestQuant.RuntimeOps.Interop;

/// <summary>
/// Makes the operators' domain known to this process before any caller's session does. ONNX Runtime keeps a process-wide table of domains
/// and fills it, without a lock, when the first session with a custom domain is created: two such sessions created at the same time could
/// fail with "Trying to add a domain to DomainToVersion map".
/// </summary>
internal static class DomainAnnouncement
{
    /// <summary>IR 8, operator set 17, graph g: (float[1] x) => (float[1] y) { y = Identity (x) }, as protobuf.</summary>
    private static readonly byte[] SmallestModel =
    [
        0x08, 0x08, 0x42, 0x02, 0x10, 0x11, 0x3A, 0x37, 0x12, 0x01, (byte)'g',
        0x0A, 0x10, 0x0A, 0x01, (byte)'x', 0x12, 0x01, (byte)'y', 0x22, 0x08, .. "Identity"u8,
        0x5A, 0x0F, 0x0A, 0x01, (byte)'x', 0x12, 0x0A, 0x0A, 0x08, 0x08, 0x01, 0x12, 0x04, 0x0A, 0x02, 0x08, 0x01,
        0x62, 0x0F, 0x0A, 0x01, (byte)'y', 0x12, 0x0A, 0x0A, 0x08, 0x08, 0x01, 0x12, 0x04, 0x0A, 0x02, 0x08, 0x01,
    ];

    private static readonly Lock Gate = new();
    private static bool _announced;

    /// <summary>Creates one small session, the first time.</summary>
    /// <param name="register">Adds the operators to session options.</param>
    public static void Once(Action<SessionOptions> register)
    {
        lock (Gate)
        {
            if (_announced) return;
            using var options = new SessionOptions { IntraOpNumThreads = 1, InterOpNumThreads = 1 };
            register(options);
            new InferenceSession(SmallestModel, options).Dispose();
            _announced = true;
        }
    }
}
