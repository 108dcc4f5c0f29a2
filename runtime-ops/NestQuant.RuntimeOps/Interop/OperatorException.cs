namespace NestQuant.RuntimeOps.Interop;

/// <summary>A node or its inputs break the operator's contract; the message goes to the caller, with the node's name in front.</summary>
internal sealed class OperatorException(string message) : Exception(message);
