using System.Reflection;
using NestQuant.Compiler.Cli;
using NestQuant.Compiler.Pipeline;
using NestQuant.Data;
using NestQuant.Evaluation;
using NestQuant.Onnx;
using NestQuant.Passes;
using NestQuant.RuntimeOps;

namespace NestQuant.Architecture.Tests;

/// <summary>An assembly and the assemblies of this project that it may use.</summary>
public sealed record Layer(Assembly Assembly, params string[] MayUse)
{
    public string Name => Assembly.GetName().Name!;

    /// <summary>All assemblies, from the lowest to the highest.</summary>
    public static Layer[] All { get; } =
    [
        new(typeof(ModelProto).Assembly),
        new(typeof(NestQuantOps).Assembly),
        new(typeof(Dataset).Assembly, "NestQuant.Onnx"),
        new(typeof(PassPipeline).Assembly, "NestQuant.Onnx"),
        new(typeof(NestQuantCompiler).Assembly, "NestQuant.Onnx", "NestQuant.Data", "NestQuant.Compiler", "NestQuant.RuntimeOps"),
        new(
            typeof(ModelPictures).Assembly,
            "NestQuant.Onnx", "NestQuant.Data", "NestQuant.Compiler", "NestQuant.Passes", "NestQuant.RuntimeOps"),
        new(
            typeof(CliApplication).Assembly,
            "NestQuant.Onnx", "NestQuant.Data", "NestQuant.Compiler", "NestQuant.Passes", "NestQuant.Evaluation", "NestQuant.RuntimeOps"),
    ];

    public override string ToString() => Name;
}
