namespace NestQuant.RuntimeOps.Interop;

/// <content>What sessions are made with.</content>
internal readonly unsafe partial struct OrtApi
{
    /// <summary>Creates a domain of custom operators; it must live as long as any session that uses it.</summary>
    public void* CreateCustomOpDomain(string domain)
    {
        void* result;
        fixed (byte* name = ZeroTerminated(domain))
            Check(_functions.CreateCustomOpDomain(name, &result));
        return result;
    }

    public void AddToDomain(void* domain, OrtCustomOp* op) =>
        Check(_functions.CustomOpDomainAdd(domain, op));

    public void AddDomain(void* sessionOptions, void* domain) =>
        Check(_functions.AddCustomOpDomain(sessionOptions, domain));

    /// <summary>Sends the log of sessions made with these options to a function instead of the process's.</summary>
    public void SetLog(
        void* sessionOptions, delegate* unmanaged[Cdecl]<nint, LogLevel, byte*, byte*, byte*, byte*, void> log, nint parameter) =>
        Check(_functions.SetUserLoggingFunction(sessionOptions, log, parameter));

    /// <summary>The process's environment, or a silent one where there is none yet; whoever asks for it releases it.</summary>
    public void* CreateEnvironment()
    {
        void* result;
        fixed (byte* name = ZeroTerminated(nameof(NestQuantOps)))
            Check(_functions.CreateEnv(LogLevel.Fatal, name, &result));
        return result;
    }

    /// <summary>Options of sessions without threads of their own.</summary>
    public void* CreateSessionOptions()
    {
        void* result;
        Check(_functions.CreateSessionOptions(&result));
        Check(_functions.SetIntraOpNumThreads(result, 1));
        return result;
    }

    public void* CreateSession(void* environment, ReadOnlySpan<byte> model, void* sessionOptions)
    {
        void* result;
        fixed (byte* bytes = model)
            Check(_functions.CreateSessionFromArray(environment, bytes, (nuint)model.Length, sessionOptions, &result));
        return result;
    }

    public void ReleaseEnvironment(void* environment) => _functions.ReleaseEnv(environment);

    public void ReleaseSessionOptions(void* sessionOptions) => _functions.ReleaseSessionOptions(sessionOptions);

    public void ReleaseSession(void* session) => _functions.ReleaseSession(session);
}
