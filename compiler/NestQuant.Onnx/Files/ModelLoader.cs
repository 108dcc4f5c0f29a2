using NestQuant.Onnx.Graph;
using NestQuant.Onnx.Validation;
using ProtoBuf;

namespace NestQuant.Onnx.Files;

/// <summary>Reads models and reports every problem with a file in one clear line.</summary>
internal static class ModelLoader
{
    public static ModelProto FromFile(string path, LoadOptions? options, bool attachData = true)
    {
        if (Directory.Exists(path))
            throw new ModelException($"'{path}' is a folder; give the path of an ONNX file.");
        try
        {
            using var file = SourceFile.Open(path);
            if (file.Status.Length > Array.MaxLength)
                throw TooLarge($"'{path}'");
            return FromMemory(file.ReadAll(), $"'{path}'", attachData ? ExternalDataReader.Beside(path, options) : null);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new ModelException($"'{path}' does not exist.", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ModelException($"'{path}' cannot be read: {e.Message}", e);
        }
    }

    public static ModelProto FromStream(Stream stream, string source, ExternalDataReader? externalData)
    {
        if (stream.CanSeek && stream.Length - stream.Position > Array.MaxLength)
            throw TooLarge(source);
        using var buffer = stream.CanSeek ? new MemoryStream((int)(stream.Length - stream.Position)) : new MemoryStream();
        stream.CopyTo(buffer);
        return FromMemory(buffer.GetBuffer().AsMemory(0, (int)buffer.Length), source, externalData);
    }

    public static ModelProto FromMemory(ReadOnlyMemory<byte> bytes, string source, ExternalDataReader? externalData)
    {
        var model = Parse(bytes, source);
        Check(model, source, bytes.Span);
        externalData?.Attach(model);
        return model;
    }


    private static ModelException TooLarge(string source) =>
        new($"{source} exceeds 2 GB, the limit of an ONNX file; store the weights as external data.");

    private static ModelProto Parse(ReadOnlyMemory<byte> bytes, string source)
    {
        if (bytes.IsEmpty)
            throw new ModelException($"{source} is empty; it should be an ONNX model.");
        if (FileSignature.IsGitLfsPointer(bytes.Span))
            throw new ModelException($"{source} is a Git LFS pointer, not the model itself; run 'git lfs pull'.");
        try
        {
            return ModelCodec.Read(bytes);
        }
        catch (Exception e) when (IsMalformed(e))
        {
            if (FileSignature.Describe(bytes.Span) is { } kind)
                throw new ModelException($"{source} is not an ONNX model; it looks like {kind}.", e);
            if (e is EndOfStreamException || e.Message.StartsWith("Invalid length", StringComparison.Ordinal))
                throw new ModelException(
                    $"{source} is truncated or not an ONNX model: it ends in the middle of a field; copy or export it again.", e);
            if (e.Message.Contains("depth", StringComparison.OrdinalIgnoreCase))
                throw new ModelException(
                    $"{source} nests its messages deeper than {ModelCodec.MaxDepth}, the limit of the format's readers.", e);
            throw new ModelException($"{source} is damaged or not an ONNX model: it is not valid protobuf; copy or export it again.", e);
        }
    }

    // The exceptions of the protobuf reader for bytes that are not a message of the schema.
    private static bool IsMalformed(Exception e) =>
        e is ProtoException or EndOfStreamException or OverflowException or InvalidOperationException or ArgumentException
            or FormatException or OutOfMemoryException;

    private static void Check(ModelProto model, string source, ReadOnlySpan<byte> bytes)
    {
        if (model.Graph is null)
        {
            var kind = FileSignature.Describe(bytes);
            throw new ModelException(kind is null
                ? $"{source} holds no graph; it is not an ONNX model, or it is truncated."
                : $"{source} is not an ONNX model; it looks like {kind}.");
        }

        if (model.IrVersion is null or < 1)
            throw new ModelException($"{source} does not say its IR version; export it again with a current ONNX exporter.");
        if (model.IrVersion > ModelFile.MaxIrVersion)
        {
            throw new ModelException(
                $"{source} has IR version {model.IrVersion}; versions up to {ModelFile.MaxIrVersion} are supported. Export it for "
                    + "an older one.");
        }

        var opset = model.OpsetImport.Find(o => o.Domain is "" or "ai.onnx")
            ?? throw new ModelException(
                $"{source} imports no operator set for the default domain; it is truncated or incomplete, export it again.");
        if (opset.Version is not (>= ModelFile.MinOpset and <= ModelFile.MaxOpset))
        {
            throw new ModelException(
                $"{source} imports version {opset.Version ?? 0} of the default operator set; versions {ModelFile.MinOpset} to "
                    + $"{ModelFile.MaxOpset} are supported.");
        }

        try
        {
            NodeOrder.Restore(model);
            ModelValidation.Verify(model);
        }
        catch (ModelException e)
        {
            throw new ModelException($"{source} is damaged or not valid: {e.Message}", e);
        }
    }
}
