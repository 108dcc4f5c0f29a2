namespace NestQuant.RuntimeOps.Interop;

/// <summary>A call into ONNX Runtime failed; the message is ONNX Runtime's own.</summary>
internal sealed class OrtCallException(string message) : Exception(message);
