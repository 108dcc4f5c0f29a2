namespace NestQuant.RuntimeOps.Schema;

/// <summary>Element types of tensors, those used here; the numbers are those of ONNX and of ONNX Runtime.</summary>
internal enum ElementType
{
    Undefined = 0,
    Float = 1,
    UInt8 = 2,
    Int32 = 6,
    Int64 = 7,
}
