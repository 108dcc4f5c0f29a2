using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using NestQuant.RuntimeOps.Schema;
using static System.FormattableString;

namespace NestQuant.RuntimeOps.Interop;

/// <summary>The functions of ONNX Runtime's C API used here, typed; a failed call throws <see cref="OrtCallException"/>.</summary>
/// <remarks>
/// Every call is within ONNX Runtime's contract: strings end with a zero, out pointers are locals, lengths are the spans' own.
/// </remarks>
internal readonly unsafe partial struct OrtApi(void** table)
{
    private static long s_unknownDimensions;

    private readonly OrtApiFunctions _functions = new(table);

    /// <summary>Finds the table that has every function in <see cref="OrtApiSlot"/>.</summary>
    /// <exception cref="PlatformNotSupportedException">The host's ONNX Runtime is too old.</exception>
    public static void** GetTable(OrtApiBase* apiBase)
    {
        void** table = apiBase->GetApi(OrtApiSlot.MinimumVersion);
        return table != null ? table : throw TooOld(apiBase);
    }

    /// <summary>A status that carries a message to the caller, in any language.</summary>
    public void* CreateStatus(OrtErrorCode code, string message)
    {
        fixed (byte* text = ZeroTerminated(message))
            return _functions.CreateStatus(code, text);
    }

    public string NodeName(void* info)
    {
        nuint size = 0;
        Check(_functions.KernelInfoGetNodeName(info, null, &size));
        byte[] name = new byte[Math.Max(size, 1)];
        fixed (byte* target = name)
            Check(_functions.KernelInfoGetNodeName(info, target, &size));
        return Encoding.UTF8.GetString(name).TrimEnd('\0');
    }

    public bool TryGetInt(void* info, string name, out long value)
    {
        long result = 0;
        bool found;
        fixed (byte* text = ZeroTerminated(name))
            found = Succeeds(_functions.KernelInfoGetAttributeInt64(info, text, &result));
        value = result;
        return found;
    }

    public bool TryGetFloat(void* info, string name, out float value)
    {
        float result = 0;
        bool found;
        fixed (byte* text = ZeroTerminated(name))
            found = Succeeds(_functions.KernelInfoGetAttributeFloat(info, text, &result));
        value = result;
        return found;
    }

    public bool TryGetInts(void* info, string name, out long[] values)
    {
        nuint size = 0;
        values = [];
        fixed (byte* text = ZeroTerminated(name))
        {
            if (!Succeeds(_functions.KernelInfoGetAttributeArrayInt64(info, text, null, &size)))
                return false;
            values = new long[size];
            fixed (long* target = values)
                return size == 0 || Succeeds(_functions.KernelInfoGetAttributeArrayInt64(info, text, target, &size));
        }
    }

    public bool TryGetString(void* info, string name, out string value)
    {
        nuint size = 0;
        value = "";
        fixed (byte* text = ZeroTerminated(name))
        {
            if (!Succeeds(_functions.KernelInfoGetAttributeString(info, text, null, &size)))
                return false;
            byte[] bytes = new byte[Math.Max(size, 1)];
            fixed (byte* target = bytes)
            {
                if (!Succeeds(_functions.KernelInfoGetAttributeString(info, text, target, &size)))
                    return false;
            }

            value = Encoding.UTF8.GetString(bytes).TrimEnd('\0');
            return true;
        }
    }

    /// <summary>Whether a float or an array of floats goes by this name.</summary>
    public bool HasFloats(void* info, string name)
    {
        float single;
        nuint size = 0;
        fixed (byte* text = ZeroTerminated(name))
        {
            return Succeeds(_functions.KernelInfoGetAttributeFloat(info, text, &single))
                || Succeeds(_functions.KernelInfoGetAttributeArrayFloat(info, text, null, &size));
        }
    }

    /// <summary>A session configuration entry, or null when it is not set.</summary>
    public string? ConfigEntry(void* info, string key)
    {
        void* entries;
        Check(_functions.KernelInfoGetConfigEntries(info, &entries));
        try
        {
            fixed (byte* text = ZeroTerminated(key))
            {
                byte* value = _functions.GetKeyValue(entries, text);
                return value == null ? null : Utf8(value);
            }
        }
        finally
        {
            ReleaseEntries(entries);
        }
    }

    /// <summary>Writes a warning to the session's log.</summary>
    /// <param name="info">The kernel that warns.</param>
    /// <param name="message">What to tell.</param>
    /// <param name="source">Which part of the library tells it.</param>
    public void Warn(void* info, string message, string source)
    {
        void* logger;
        Check(_functions.KernelInfoGetLogger(info, &logger));
        Log(logger, LogLevel.Warning, message, source);
    }

    /// <summary>Writes to the session's log at its most detailed level; does nothing where that is not logged.</summary>
    /// <param name="context">The run.</param>
    /// <param name="message">What to tell.</param>
    public void LogVerbose(void* context, string message)
    {
        void* logger;
        LogLevel level;
        Check(_functions.KernelContextGetLogger(context, &logger));
        Check(_functions.LoggerGetLoggingSeverityLevel(logger, &level));
        if (level == LogLevel.Verbose)
            Log(logger, level, message, nameof(NestQuantOps));
    }

    /// <summary>The value of a constant input, or null when the input is not constant.</summary>
    public void* ConstantInput(void* info, int index)
    {
        int isConstant;
        void* value = null;
        Check(_functions.KernelInfoGetConstantInputTensor(info, (nuint)index, &isConstant, &value));
        return isConstant == 0 ? null : value;
    }

    public int InputCount(void* context)
    {
        nuint count;
        Check(_functions.KernelContextGetInputCount(context, &count));
        return (int)count;
    }

    /// <summary>An input's value, or null when an optional input is absent.</summary>
    public void* Input(void* context, int index)
    {
        void* value;
        Check(_functions.KernelContextGetInput(context, (nuint)index, &value));
        return value;
    }

    public void* Output(void* context, int index, ReadOnlySpan<long> shape)
    {
        void* value;
        fixed (long* dimensions = shape)
            Check(_functions.KernelContextGetOutput(context, (nuint)index, dimensions, (nuint)shape.Length, &value));
        return value;
    }

    public bool IsTensor(void* value)
    {
        int result;
        Check(_functions.IsTensor(value, &result));
        return result != 0;
    }

    public void* TensorData(void* value)
    {
        void* data;
        Check(_functions.GetTensorMutableData(value, &data));
        return data;
    }

    /// <summary>A tensor's element type and shape; the span is valid as long as the value.</summary>
    public ReadOnlySpan<long> TensorShape(void* value, out ElementType type)
    {
        ElementType element;
        long* dimensions;
        nuint count;
        Check(_functions.GetTensorElementTypeAndShapeDataReference(value, &element, &dimensions, &count));
        type = element;
        return new ReadOnlySpan<long>(dimensions, (int)count);
    }

    public void ParallelFor(void* context, delegate* unmanaged[Cdecl]<nint, nuint, void> body, int count, nint userData) =>
        Check(_functions.KernelContextParallelFor(context, body, (nuint)count, 0, userData));

    /// <summary>The shape of an input as far as inference knows it (-1 where it does not), or null.</summary>
    public long[]? InferredInputShape(void* context, int index)
    {
        void* info = null;
        if (!Succeeds(_functions.ShapeInferContextGetInputTypeShape(context, (nuint)index, &info)) || info == null)
            return null;
        nuint rank;
        Check(_functions.GetDimensionsCount(info, &rank));
        long[] shape = new long[rank];
        fixed (long* target = shape)
            Check(_functions.GetDimensions(info, target, rank));
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
            if (!Succeeds(_functions.ShapeInferContextGetAttribute(context, text, &attribute)) || attribute == null)
                return -1;
        }

        fixed (byte* data = target)
        {
            return Succeeds(_functions.ReadOpAttr(attribute, type, data, (nuint)target.Length, &length))
                ? (int)length
                : -1;
        }
    }

    /// <summary>States type and shape of output 0 during shape inference, -1 where a dimension is unknown.</summary>
    /// <remarks>
    /// ONNX Runtime takes a bare -1 for the dimension's value, and folds a Shape behind the node to it. An unknown dimension therefore
    /// gets a name, one that no other dimension has: equal names would say equal sizes.
    /// </remarks>
    public void SetInferredOutput(void* context, ElementType type, ReadOnlySpan<long> shape)
    {
        nint[] names = new nint[shape.Length];
        void* info;
        Check(_functions.CreateTensorTypeAndShapeInfo(&info));
        try
        {
            for (int i = 0; i < names.Length; i++)
                names[i] = Marshal.StringToCoTaskMemUTF8(
                    shape[i] < 0 ? Invariant($"nestquant_dim_{Interlocked.Increment(ref s_unknownDimensions)}") : "");
            Check(_functions.SetTensorElementType(info, type));
            // Both arrays have shape.Length elements, and ONNX Runtime copies them.
            fixed (long* dimensions = shape)
                Check(_functions.SetDimensions(info, dimensions, (nuint)shape.Length));
            fixed (nint* symbols = names)
                Check(_functions.SetSymbolicDimensions(info, (byte**)symbols, (nuint)names.Length));
            Check(_functions.ShapeInferContextSetOutputTypeShape(context, 0, info));
        }
        finally
        {
            foreach (nint name in names) Marshal.FreeCoTaskMem(name);
            ReleaseShape(info);
        }
    }

    private static byte[] ZeroTerminated(string text) => Encoding.UTF8.GetBytes(text + "\0");

    private static string Utf8(byte* text) => Marshal.PtrToStringUTF8((nint)text) ?? "";

    private void Log(void* logger, LogLevel level, string message, string source)
    {
        // The path of a source file is in the system's own characters, two bytes each on Windows.
        byte[] path = OperatingSystem.IsWindows() ? Encoding.Unicode.GetBytes(source + '\0') : ZeroTerminated(source);
        fixed (byte* text = ZeroTerminated(message), file = path, function = ZeroTerminated(source))
            Check(_functions.LoggerLogMessage(logger, level, text, file, 0, function));
    }

    private bool Succeeds(void* status)
    {
        if (status == null)
            return true;
        _functions.ReleaseStatus(status);
        return false;
    }

    // ReadyToRun leaves out methods that call native functions in a finally block or before a throw: these are methods of their own.
    private void ReleaseEntries(void* entries) => _functions.ReleaseKeyValuePairs(entries);

    private void ReleaseShape(void* info) => _functions.ReleaseTensorTypeAndShapeInfo(info);

    private void Check(void* status)
    {
        if (status != null)
            throw Failure(status);
    }

    private OrtCallException Failure(void* status)
    {
        string message = Utf8(_functions.GetErrorMessage(status));
        _functions.ReleaseStatus(status);
        return new OrtCallException(message);
    }

    private static PlatformNotSupportedException TooOld(OrtApiBase* apiBase)
    {
        string version = Utf8(apiBase->GetVersionString());
        return new PlatformNotSupportedException(
            string.Create(
                CultureInfo.InvariantCulture,
                $"the host has ONNX Runtime {version}; the operators of {NestQuantOps.Domain} need "
                    + $"1.{OrtApiSlot.MinimumVersion} or newer"));
    }
}
