using NestQuant.Compiler.Cli;
using NestQuant.Compiler.Cli.Terminal;
using NestQuant.Data;
using NestQuant.Onnx;
using NestQuant.Onnx.Files;
using NestQuant.Onnx.Graph;
using NestQuant.TestSupport;

namespace NestQuant.Security.Tests.Fuzzing.Corpora;

/// <summary>Writes the good models: tiny ones and golden ones, what they compile to, and what that exports to.</summary>
internal sealed class CorpusBuilder(string folder)
{
    private const string GroupNL = "groupnl";
    private const string PartName = "m.part.onnx";

    private static readonly string[] s_modes = ["static", "dynamic", "none"];

    /// <summary>Writes all of them into an empty folder.</summary>
    public static Corpus Build(string folder)
    {
        new CorpusBuilder(folder).Build();
        return new Corpus(folder);
    }

    private void Build()
    {
        foreach ((string name, ModelProto model) in TinyModels.All) Write(name, MessageBytes.Of(model), 2, 4, 6, 6);
        WriteExternal("external", TinyModels.All.First(static tiny => tiny.Name == "convolutions").Model);
        Compile("convolutions", GroupNL, "--groupnl", "expand:r=2,g=2");
        int next = 0;
        foreach (string name in TinyModels.All.Select(static tiny => tiny.Name).Append(GroupNL))
            Compile(name, s_modes[next++ % s_modes.Length]);
        Compile("convolutions", "dynamic");
        CompilePart("convolutions", "static");
        CompileLevels("convolutions", "static");
        CompileLevels("products", "none");
        Export("convolutions.static");
        Export("layouts.dynamic");

        foreach (string golden in new[] { "cnn", "gnl" })
        {
            string name = $"{Corpus.GoldenPrefix}.{golden}";
            Write(name, File.ReadAllBytes(Path.Combine(Checkout.Root, "golden-models", $"digits-{golden}.onnx")), 2, 1, 8, 8);
            Compile(name, "static");
        }
    }

    private void Write(string name, byte[] model, params long[] inputShape)
    {
        Directory.CreateDirectory(In(name, ""));
        File.WriteAllBytes(In(name, CorpusModel.ModelName), model);
        var values = new float[inputShape.Aggregate(1L, static (product, extent) => product * extent)];
        for (int i = 0; i < values.Length; i++) values[i] = ((i * 37 % 101) - 50) / 50f;
        NpyArray.FromFloats(inputShape, values).Write(In(name, CorpusModel.InputName));
    }

    /// <summary>A model whose larger weights, those of Constant nodes included, lie in <c>w.bin</c>.</summary>
    private void WriteExternal(string name, ModelProto source)
    {
        ModelProto model = ModelFile.Load(MessageBytes.Of(source));
        GraphProto graph = model.MainGraph();
        TensorProto constant = TensorProto.FromFloats("", [64], new float[64]);
        graph.Node.Insert(0, GraphBuilder.Parse("constant = Constant()", AttributeProto.Tensor("value", constant)));
        graph.Node.Add(GraphBuilder.Parse("z = Max(constant)"));
        graph.Output.Add(new ValueInfoProto { Name = "z" });
        var data = new MemoryStream();
        foreach (TensorProto tensor in graph.Initializer.Append(constant).Where(static tensor => tensor.ByteCount >= 64))
        {
            byte[] content = tensor.GetBytes().ToArray();
            tensor.RawData = null;
            tensor.DataLocation = TensorDataLocation.External;
            tensor.ExternalData.AddRange([new("location", "w.bin"), new("offset", $"{data.Length}"), new("length", $"{content.Length}")]);
            data.Write(content);
        }

        Write(name, MessageBytes.Of(model), 2, 4, 6, 6);
        File.WriteAllBytes(In(name, "w.bin"), data.ToArray());
    }

    private void Compile(string source, string mode) => Compile(source, $"{source}.{mode}", "--nest", "8:6", "--activations", mode);

    private void Compile(string source, string name, params string[] options)
    {
        Run("compile", source, name, options);
        File.Delete(In(name, PartName));
    }

    /// <summary>More than two levels, with scales and biases of their own.</summary>
    private void CompileLevels(string source, string mode)
    {
        string name = $"{source}.{mode}.levels", data = In(source, CorpusModel.InputName);
        Run("compile", source, name, "--nest", "8:6:3", "--calibrate", data, "--activations", mode);
        foreach (string part in (string[])[PartName, "m.part.6.onnx"]) File.Delete(In(name, part));
    }

    /// <summary>The form of part precision alone.</summary>
    private void CompilePart(string source, string mode)
    {
        string name = $"{source}.{mode}.part";
        Run("compile", source, name, "--nest", "8:6", "--activations", mode);
        File.Move(In(name, PartName), In(name, CorpusModel.ModelName), overwrite: true);
        File.Delete(In(name, "m.low.bin"));
    }

    private void Export(string compiled) => Run("export", compiled, $"{compiled}.exported", "--bits", "6");

    private void Run(string command, string source, string name, params string[] options)
    {
        using var error = new StringWriter();
        string[] args = [command, In(source, CorpusModel.ModelName), "-o", In(name, CorpusModel.ModelName), .. options];
        if (CliApplication.Run(args, new CliConsole(TextWriter.Null, error)) != 0)
            throw new InvalidOperationException($"{string.Join(' ', args)}: {error}");
        File.Copy(In(source, CorpusModel.InputName), In(name, CorpusModel.InputName));
    }

    private string In(string name, string file) => Path.Combine(folder, name, file);
}
