using System.Runtime.InteropServices;
using System.Text;

namespace NestQuant.RuntimeOps.Interop;

/// <summary>The functions of ONNX Runtime's C API used here, typed; a failed call throws <see cref="OrtCallException"/>.</summary>
/// <remarks>Every unsafe call is within ONNX Runtime's contract: out pointers are locals, and the position in the table fixes the signature.</remarks>
internal readonly unsafe struct OrtApi(void** table)
{
    private readonly void** _table = table;

    /// <summary>Finds the table that has every function in <see cref="OrtApiSlot"/>.</summary>
    /// <exception cref="PlatformNotSupportedException">The host's ONNX Runtime is too old.</exception>
    public static void** GetTable(OrtApiBase* apiBase)
    {
        void** table = apiBase->GetApi(OrtApiSlot.MinimumVersion);
        if (table == null)
            throw new PlatformNotSupportedException($"the host has ONNX Runtime {Utf8(apiBase->GetVersionString())}; the operators of {NestQuantOps.Domain} need 1.{OrtApiSlot.MinimumVersion} or newer");
        return table;
    }

    /// <summary>A status that carries a message to the caller, in any language.</summary>
    public void* CreateStatus(OrtErrorCode code, string message)
    {
        fixed (byte* text = ZeroTerminated(message))
            return ((delegate* unmanaged[Cdecl]<OrtErrorCode, byte*, void*>)_table[OrtApiSlot.CreateStatus])(code, text);
    }

    /// <summary>Creates a domain of custom operators; it must live as long as any session that uses it.</summary>
    public void* CreateCustomOpDomain(string domain)
    {
        void* result;
        fixed (byte* name = ZeroTerminated(domain))
            Check(((delegate* unmanaged[Cdecl]<byte*, void**, void*>)_table[OrtApiSlot.CreateCustomOpDomain])(name, &result));
        return result;
    }

    public void AddToDomain(void* domain, OrtCustomOp* op) =>
        Check(((delegate* unmanaged[Cdecl]<void*, OrtCustomOp*, void*>)_table[OrtApiSlot.CustomOpDomainAdd])(domain, op));

    public void AddDomain(void* sessionOptions, void* domain) =>
        Check(((delegate* unmanaged[Cdecl]<void*, void*, void*>)_table[OrtApiSlot.AddCustomOpDomain])(sessionOptions, domain));

    public string NodeName(void* info)
    {
        nuint size = 0;
        delegate* unmanaged[Cdecl]<void*, byte*, nuint*, void*> get = (delegate* unmanaged[Cdecl]<void*, byte*, nuint*, void*>)_table[OrtApiSlot.KernelInfoGetNodeName];
        Check(get(info, null, &size));
        byte[] name = new byte[Math.Max(size, 1)];
        fixed (byte* target = name)
            Check(get(info, target, &size));
        return Encoding.UTF8.GetString(name).TrimEnd('\0');
    }

    public bool TryGetInt(void* info, string name, out long value)
    {
        long result = 0;
        bool found;
        fixed (byte* text = ZeroTerminated(name))
            found = Succeeds(((delegate* unmanaged[Cdecl]<void*, byte*, long*, void*>)_table[OrtApiSlot.KernelInfoGetAttributeInt64])(info, text, &result));
        value = result;
        return found;
    }

    public bool TryGetInts(void* info, string name, out long[] values)
    {
        nuint size = 0;
        values = [];
        delegate* unmanaged[Cdecl]<void*, byte*, long*, nuint*, void*> get =
            (delegate* unmanaged[Cdecl]<void*, byte*, long*, nuint*, void*>)_table[OrtApiSlot.KernelInfoGetAttributeArrayInt64];
        fixed (byte* text = ZeroTerminated(name))
        {
            if (!Succeeds(get(info, text, null, &size)))
                return false;
            values = new long[size];
            fixed (long* target = values)
                return size == 0 || Succeeds(get(info, text, target, &size));
        }
    }

    public bool TryGetString(void* info, string name, out string value)
    {
        nuint size = 0;
        value = "";
        delegate* unmanaged[Cdecl]<void*, byte*, byte*, nuint*, void*> get =
            (delegate* unmanaged[Cdecl]<void*, byte*, byte*, nuint*, void*>)_table[OrtApiSlot.KernelInfoGetAttributeString];
        fixed (byte* text = ZeroTerminated(name))
        {
            if (!Succeeds(get(info, text, null, &size)))
                return false;
            byte[] bytes = new byte[Math.Max(size, 1)];
            fixed (byte* target = bytes)
            {
                if (!Succeeds(get(info, text, target, &size)))
                    return false;
            }

            value = Encoding.UTF8.GetString(bytes).TrimEnd('\0');
            return true;
        }
    }

    /// <summary>Whether a float or an array of floats goes by this name: the types that no operator here takes.</summary>
    public bool HasFloats(void* info, string name)
    {
        float single;
        nuint size = 0;
        fixed (byte* text = ZeroTerminated(name))
        {
            return Succeeds(((delegate* unmanaged[Cdecl]<void*, byte*, float*, void*>)_table[OrtApiSlot.KernelInfoGetAttributeFloat])(info, text, &single))
                || Succeeds(((delegate* unmanaged[Cdecl]<void*, byte*, float*, nuint*, void*>)_table[OrtApiSlot.KernelInfoGetAttributeArrayFloat])(info, text, null, &size));
        }
    }

    /// <summary>A session configuration entry, or null when it is not set.</summary>
    public string? ConfigEntry(void* info, string key)
    {
        void* entries;
        Check(((delegate* unmanaged[Cdecl]<void*, void**, void*>)_table[OrtApiSlot.KernelInfoGetConfigEntries])(info, &entries));
        try
        {
            fixed (byte* text = ZeroTerminated(key))
            {
                byte* value = ((delegate* unmanaged[Cdecl]<void*, byte*, byte*>)_table[OrtApiSlot.GetKeyValue])(entries, text);
                return value == null ? null : Utf8(value);
            }
        }
        finally
        {
            ((delegate* unmanaged[Cdecl]<void*, void>)_table[OrtApiSlot.ReleaseKeyValuePairs])(entries);
        }
    }

    /// <summary>The value of a constant input, or null when the input is not constant.</summary>
    public void* ConstantInput(void* info, int index)
    {
        int isConstant;
        void* value = null;
        Check(((delegate* unmanaged[Cdecl]<void*, nuint, int*, void**, void*>)_table[OrtApiSlot.KernelInfoGetConstantInputTensor])(info, (nuint)index, &isConstant, &value));
        return isConstant == 0 ? null : value;
    }

    public int InputCount(void* context)
    {
        nuint count;
        Check(((delegate* unmanaged[Cdecl]<void*, nuint*, void*>)_table[OrtApiSlot.KernelContextGetInputCount])(context, &count));
        return (int)count;
    }

    /// <summary>An input's value, or null when an optional input is absent.</summary>
    public void* Input(void* context, int index)
    {
        void* value;
        Check(((delegate* unmanaged[Cdecl]<void*, nuint, void**, void*>)_table[OrtApiSlot.KernelContextGetInput])(context, (nuint)index, &value));
        return value;
    }

    public void* Output(void* context, int index, ReadOnlySpan<long> shape)
    {
        void* value;
        fixed (long* dimensions = shape)
            Check(((delegate* unmanaged[Cdecl]<void*, nuint, long*, nuint, void**, void*>)_table[OrtApiSlot.KernelContextGetOutput])(context, (nuint)index, dimensions, (nuint)shape.Length, &value));
        return value;
    }

    public bool IsTensor(void* value)
    {
        int result;
        Check(((delegate* unmanaged[Cdecl]<void*, int*, void*>)_table[OrtApiSlot.IsTensor])(value, &result));
        return result != 0;
    }

    public void* TensorData(void* value)
    {
        void* data;
        Check(((delegate* unmanaged[Cdecl]<void*, void**, void*>)_table[OrtApiSlot.GetTensorMutableData])(value, &data));
        return data;
    }

    /// <summary>A tensor's element type and shape; the span is valid as long as the value.</summary>
    public ReadOnlySpan<long> TensorShape(void* value, out ElementType type)
    {
        ElementType element;
        long* dimensions;
        nuint count;
        Check(((delegate* unmanaged[Cdecl]<void*, ElementType*, long**, nuint*, void*>)_table[OrtApiSlot.GetTensorElementTypeAndShapeDataReference])(value, &element, &dimensions, &count));
        type = element;
        return new ReadOnlySpan<long>(dimensions, (int)count);
    }

    public void ParallelFor(void* context, delegate* unmanaged[Cdecl]<nint, nuint, void> body, int count, nint userData) =>
        Check(((delegate* unmanaged[Cdecl]<void*, delegate* unmanaged[Cdecl]<nint, nuint, void>, nuint, nuint, nint, void*>)_table[OrtApiSlot.KernelContextParallelFor])(context, body, (nuint)count, 0, userData));

    /// <summary>The shape of an input as far as inference knows it (-1 where it does not), or null.</summary>
    public long[]? InferredInputShape(void* context, int index)
    {
        void* info = null;
        if (!Succeeds(((delegate* unmanaged[Cdecl]<void*, nuint, void**, void*>)_table[OrtApiSlot.ShapeInferContextGetInputTypeShape])(context, (nuint)index, &info)) || info == null)
            return null;
        nuint rank;
        Check(((delegate* unmanaged[Cdecl]<void*, nuint*, void*>)_table[OrtApiSlot.GetDimensionsCount])(info, &rank));
        long[] shape = new long[rank];
        fixed (long* target = shape)
            Check(((delegate* unmanaged[Cdecl]<void*, long*, nuint, void*>)_table[OrtApiSlot.GetDimensions])(info, target, rank));
        return shape;
    }

    /// <summary>Reads an attribute during shape inference into <paramref name="target"/>.</summary>
    /// <returns>The bytes read, or -1 when the attribute is absent, of another type or longer.</returns>
    public int InferenceAttribute(void* context, string name, OpAttributeType type, Span<byte> target)
    {
        void* attribute = null;
        nuint length;
        fixed (byte* text = ZeroTerminated(name))
        {
            if (!Succeeds(((delegate* unmanaged[Cdecl]<void*, byte*, void**, void*>)_table[OrtApiSlot.ShapeInferContextGetAttribute])(context, text, &attribute)) || attribute == null)
                return -1;
        }

        fixed (byte* data = target)
        {
            return Succeeds(((delegate* unmanaged[Cdecl]<void*, OpAttributeType, void*, nuint, nuint*, void*>)_table[OrtApiSlot.ReadOpAttr])(attribute, type, data, (nuint)target.Length, &length))
                ? (int)length
                : -1;
        }
    }

    public void SetInferredOutput(void* context, ElementType type, ReadOnlySpan<long> shape)
    {
        void* info;
        Check(((delegate* unmanaged[Cdecl]<void**, void*>)_table[OrtApiSlot.CreateTensorTypeAndShapeInfo])(&info));
        try
        {
            Check(((delegate* unmanaged[Cdecl]<void*, ElementType, void*>)_table[OrtApiSlot.SetTensorElementType])(info, type));
            fixed (long* dimensions = shape)
                Check(((delegate* unmanaged[Cdecl]<void*, long*, nuint, void*>)_table[OrtApiSlot.SetDimensions])(info, dimensions, (nuint)shape.Length));
            Check(((delegate* unmanaged[Cdecl]<void*, nuint, void*, void*>)_table[OrtApiSlot.ShapeInferContextSetOutputTypeShape])(context, 0, info));
        }
        finally
        {
            ((delegate* unmanaged[Cdecl]<void*, void>)_table[OrtApiSlot.ReleaseTensorTypeAndShapeInfo])(info);
        }
    }

    private static byte[] ZeroTerminated(string text) => Encoding.UTF8.GetBytes(text + "\0");

    private static string Utf8(byte* text) => Marshal.PtrToStringUTF8((nint)text) ?? "";

    private bool Succeeds(void* status)
    {
        if (status == null)
            return true;
        ((delegate* unmanaged[Cdecl]<void*, void>)_table[OrtApiSlot.ReleaseStatus])(status);
        return false;
    }

    private void Check(void* status)
    {
        if (status == null)
            return;
        string message = Utf8(((delegate* unmanaged[Cdecl]<void*, byte*>)_table[OrtApiSlot.GetErrorMessage])(status));
        ((delegate* unmanaged[Cdecl]<void*, void>)_table[OrtApiSlot.ReleaseStatus])(status);
        throw new OrtCallException(message);
    }
}
