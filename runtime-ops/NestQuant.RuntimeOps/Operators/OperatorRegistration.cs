using System.Runtime.InteropServices;
using NestQuant.RuntimeOps.Interop;
using NestQuant.RuntimeOps.Kernels.Emission;
using NestQuant.RuntimeOps.Schema;

namespace NestQuant.RuntimeOps.Operators;

/// <summary>Registers the operators with session options, in process or from the native library.</summary>
internal static unsafe class OperatorRegistration
{
    private static readonly Lock Gate = new();

    // One domain for each copy of ONNX Runtime in the process. Neither domains nor operator structs are ever freed: sessions keep
    // pointers to them, and nothing tells when the last session is gone.
    private static readonly List<RegisteredDomain> Domains = [];

    /// <summary>Adds the domain to session options.</summary>
    /// <param name="sessionOptions">An <c>OrtSessionOptions</c>.</param>
    /// <param name="apiBase">The ONNX Runtime it belongs to.</param>
    /// <exception cref="PlatformNotSupportedException">That ONNX Runtime is too old.</exception>
    public static void Register(void* sessionOptions, OrtApiBase* apiBase)
    {
        void** table = OrtApi.GetTable(apiBase);
        OrtApi api = new(table);
        lock (Gate)
        {
            RegisteredDomain? domain = Domains.Find(known => known.Api == (nint)table);
            if (domain is null)
            {
                domain = new RegisteredDomain((nint)table, CreateDomain(api, table));
                DomainAnnouncement.Make(api, (void*)domain.Address);
                Domains.Add(domain);
            }

            api.AddDomain(sessionOptions, (void*)domain.Address);
        }
    }

    private static nint CreateDomain(OrtApi api, void** table)
    {
        void* domain = api.CreateCustomOpDomain(OperatorSet.Domain);
        foreach (CustomOperator known in OperatorCatalog.All)
        {
            OrtCustomOp* op = (OrtCustomOp*)NativeMemory.AllocZeroed((nuint)sizeof(OrtCustomOp));
            op->Version = OrtApiSlot.MinimumVersion;
            op->Api = table;
            op->Operator = GCHandle.ToIntPtr(GCHandle.Alloc(known));
            op->Name = (byte*)Marshal.StringToCoTaskMemUTF8(known.Schema.Name);
            OperatorCallbacks.Fill(op);
            api.AddToDomain(domain, op);
        }

        return (nint)domain;
    }

    private sealed record RegisteredDomain(nint Api, nint Address);
}
