using NestQuant.Onnx;

namespace NestQuant.Passes.Tests.Models;

/// <summary>Local functions of the domain <c>local</c>.</summary>
internal static class Functions
{
    public static FunctionProto Of(string name, string input, string output, params NodeProto[] nodes) => Of(name, [input], output, nodes);

    public static FunctionProto Of(string name, string[] inputs, string output, params NodeProto[] nodes)
    {
        var function = new FunctionProto { Name = name, Domain = "local" };
        function.Input.AddRange(inputs);
        function.Output.Add(output);
        function.Node.AddRange(nodes);
        function.OpsetImport.Add(new OperatorSetIdProto { Domain = "", Version = 17 });
        return function;
    }
}
