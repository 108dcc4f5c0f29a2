using NestQuant.Onnx;

namespace NestQuant.Security.Tests.Fuzzing;

/// <summary>Serialises models that the project's own writer would refuse.</summary>
internal static class MessageBytes
{
    public static byte[] Of(ModelProto model)
    {
        using var stream = new MemoryStream();
        ProtoBuf.Serializer.Serialize(stream, model);
        return stream.ToArray();
    }
}
