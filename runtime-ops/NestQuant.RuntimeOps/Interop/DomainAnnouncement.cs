namespace NestQuant.RuntimeOps.Interop;

/// <summary>
/// Makes the operators' domain known to this process before any caller's session does. ONNX Runtime keeps a process-wide table of domains
/// and fills it, without a lock, when the first session with a custom domain is created: two such sessions created at the same time could
/// fail with "Trying to add a domain to DomainToVersion map".
/// </summary>
internal static unsafe class DomainAnnouncement
{
    /// <summary>IR 8, operator set 17, graph g: (float[1] x) => (float[1] y) { y = Identity (x) }, as protobuf.</summary>
    private static readonly byte[] SmallestModel =
    [
        0x08, 0x08, 0x42, 0x02, 0x10, 0x11, 0x3A, 0x37, 0x12, 0x01, (byte)'g',
        0x0A, 0x10, 0x0A, 0x01, (byte)'x', 0x12, 0x01, (byte)'y', 0x22, 0x08, .. "Identity"u8,
        0x5A, 0x0F, 0x0A, 0x01, (byte)'x', 0x12, 0x0A, 0x0A, 0x08, 0x08, 0x01, 0x12, 0x04, 0x0A, 0x02, 0x08, 0x01,
        0x62, 0x0F, 0x0A, 0x01, (byte)'y', 0x12, 0x0A, 0x0A, 0x08, 0x08, 0x01, 0x12, 0x04, 0x0A, 0x02, 0x08, 0x01,
    ];

    /// <summary>Creates and releases one small session; no other thread may be creating the first one with this domain.</summary>
    /// <param name="api">The ONNX Runtime.</param>
    /// <param name="domain">The domain.</param>
    /// <remarks>
    /// An environment is the process's only one, and counts its owners. A host that has none yet gets its own when it asks for it, since
    /// ours is gone by then.
    /// </remarks>
    public static void Make(OrtApi api, void* domain)
    {
        void* environment = null, options = null, session = null;
        try
        {
            environment = api.CreateEnvironment();
            options = api.CreateSessionOptions();
            api.AddDomain(options, domain);
            session = api.CreateSession(environment, SmallestModel, options);
        }
        finally
        {
            api.ReleaseSession(session);
            api.ReleaseSessionOptions(options);
            api.ReleaseEnvironment(environment);
        }
    }
}
