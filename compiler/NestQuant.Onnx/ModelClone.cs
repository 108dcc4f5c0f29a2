using System.Buffers;

namespace NestQuant.Onnx;

/// <summary>
/// Copies models: the messages as Protocol Buffers writes and reads them, with empty tensors in the place of all others, so that no
/// content is written.
/// </summary>
internal static class ModelClone
{
    public static ModelProto Of(ModelProto source)
    {
        var tensors = new Queue<TensorProto>();
        ModelProto skeleton = new TensorReplacement(tensor =>
        {
            tensors.Enqueue(tensor);
            return new TensorProto();
        }).Of(source);
        var bytes = new ArrayBufferWriter<byte>();
        ModelCodec.Write(bytes, skeleton);
        return new TensorReplacement(_ => tensors.Dequeue().Clone()).Of(ModelCodec.Read(bytes.WrittenMemory));
    }
}
