using NestQuant.Onnx;

namespace NestQuant.Passes.Operators;

/// <summary>The integer operators of ONNX Runtime itself that the passes emit.</summary>
internal static class MicrosoftOperators
{
    /// <summary>Their domain.</summary>
    public const string Domain = "com.microsoft";

    public const string QLinearAdd = "QLinearAdd";
    public const string QLinearMul = "QLinearMul";
    public const string QLinearConcat = "QLinearConcat";
    public const string QLinearAveragePool = "QLinearAveragePool";
    public const string QLinearGlobalAveragePool = "QLinearGlobalAveragePool";
    public const string NhwcMaxPool = "NhwcMaxPool";

    /// <summary>Attribute of the pooling operators: 1 where channels are the last axis.</summary>
    public const string ChannelsLast = "channels_last";

    /// <summary>The one version of the domain.</summary>
    private const int Version = 1;

    /// <summary>Whether a node is an operator of the domain that the passes emit, with uint8 results.</summary>
    public static bool MakesBytes(NodeProto node) =>
        node.OpType is QLinearAdd or QLinearMul or QLinearConcat or QLinearAveragePool or QLinearGlobalAveragePool or NhwcMaxPool;

    /// <summary>Makes a model import the domain where one of its nodes needs it.</summary>
    public static void Import(ModelProto model)
    {
        if (!model.OpsetImport.Exists(static opset => opset.Domain == Domain))
            model.OpsetImport.Add(new OperatorSetIdProto { Domain = Domain, Version = Version });
    }
}
