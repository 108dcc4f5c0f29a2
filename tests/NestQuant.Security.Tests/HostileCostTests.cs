using System.Diagnostics;
using System.Globalization;
using NestQuant.Compiler.Cli;
using NestQuant.Compiler.Cli.Terminal;
using NestQuant.Onnx;
using NestQuant.Onnx.Files;

namespace NestQuant.Security.Tests;

/// <summary>Small models that ask for gigabytes, and names that would steer a terminal, through the commands of the tool.</summary>
public sealed class HostileCostTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("nestquant-security-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    /// <summary>Nodes over constants, whose results or whose work on the way to them has billions of elements.</summary>
    [Theory]
    [InlineData("MatMul", "column", "row")]
    [InlineData("CenterCropPad", "row", "turned")] // pads to [40000, 40000] and crops to [40000, 1]
    [InlineData("Expand", "column", "huge")]
    public void Folding_a_bomb_takes_little_memory(string op, string a, string b)
    {
        ModelProto model = Model(Node(op, "z", a, b), Node("ReduceMax", "r", "z"), Node("Add", "y", "x", "r"));
        model.Graph!.Initializer.Add(TensorProto.FromFloats("row", [1, 40_000], new float[40_000]));
        model.Graph.Initializer.Add(TensorProto.FromFloats("column", [40_000, 1], new float[40_000]));
        model.Graph.Initializer.Add(TensorProto.FromInt64s("turned", [2], [40_000, 1]));
        model.Graph.Initializer.Add(TensorProto.FromInt64s("huge", [2], [40_000, 400_000]));
        string path = Save(model);

        using Process process = Start("compile", path, "-o", Path.Combine(_folder, "out.onnx"));
        long peak = 0;
        while (!process.WaitForExit(20))
            peak = Math.Max(peak, Peak(process));

        Assert.Equal(0, process.ExitCode);
        Assert.InRange(peak, 0, (256L << 20) + (4 * new FileInfo(path).Length));
    }

    // A process may end at any time, also between a question whether it has and the next one.
    private static long Peak(Process process)
    {
        try
        {
            process.Refresh();
            return process.PeakWorkingSet64;
        }
        catch (InvalidOperationException)
        {
            return 0;
        }
    }

    [Theory]
    [InlineData("compile", "MODEL", "-o", "out.onnx", "--nest", "8:6")]
    [InlineData("print", "MODEL")]
    [InlineData("diff", "MODEL", "other.onnx")]
    [InlineData("inspect", "MODEL")]
    [InlineData("inspect", "MODEL", "--json")]
    [InlineData("export", "MODEL", "--bits", "6", "-o", "out.onnx")]
    [InlineData("run", "MODEL", "--input", "\u001b[2Jx.npy", "-o", "outputs")]
    public void Names_cannot_steer_a_terminal(params string[] args)
    {
        const string Evil = "\u001b]0;title\u0007\u001b[2J\u009b31m\u202eevil\nkept";
        ModelProto model = Model(Node("MatMul", Evil, "x", "w\u001b"), Node("Relu", "y\u001b\n", Evil));
        model.Graph!.Node[0].Name = Evil;
        model.Graph.Initializer.Add(TensorProto.FromFloats("w\u001b", [4, 4], new float[16]));
        model.Graph.Name = Evil;
        model.DocString = Evil;
        model.MetadataProps.Add(new StringStringEntryProto("nestquant.options", Evil));
        model.Graph.Output[0].Name = "y\u001b\n";
        string path = Save(model);
        model.Graph.Node[0].Name = "other" + Evil;
        ModelFile.Save(model, Path.Combine(_folder, "other.onnx"));

        string shown = Run(
            [
                .. args.Select(
                    arg =>
                        arg == "MODEL"
                            ? path
                            : arg.EndsWith(".onnx", StringComparison.Ordinal) || arg == "outputs" ? Path.Combine(_folder, arg)
                            : arg)
            ]).Shown;

        Assert.DoesNotContain(shown, static c => (char.IsControl(c) && c != '\n') || c == '\u202e');
        Assert.DoesNotContain("\nkept", shown, StringComparison.Ordinal);
    }

    [Fact]
    public void Names_of_megabytes_are_cut_in_tables_and_errors()
    {
        string name = new('n', 2_000_000);
        ModelProto model = Model(Node("MatMul", "y", "x", "w"));
        model.Graph!.Node[0].Name = name;
        model.Graph.Initializer.Add(TensorProto.FromFloats("w", [4, 4], new float[16]));
        (int code, string table) = Run("compile", Save(model), "-o", Path.Combine(_folder, "out.onnx"), "--nest", "8:6", "--exclude", "*");
        model.Graph.Node[0].Input.RemoveAt(1);
        (int refused, string error) = Run("inspect", Save(model));

        Assert.Equal((0, 1), (code, refused));
        Assert.InRange(table.Length, 1, 10_000);
        Assert.InRange(error.Length, 1, 1_000);
        Assert.Contains("has 1 inputs, but the operator has 2", error, StringComparison.Ordinal);
    }

    [Fact]
    public void Local_functions_that_call_themselves_or_multiply_are_refused()
    {
        ModelProto model = Model(Node("F0", "y", "x"));
        model.OpsetImport.Add(new OperatorSetIdProto { Domain = "local", Version = 1 });
        model.Graph!.Node[0].Domain = "local";
        for (int i = 0; i < 40; i++)
        {
            var function = new FunctionProto { Domain = "local", Name = Text("F", i) };
            function.Input.Add("i");
            function.Output.Add("o");
            function.Node.AddRange([Node(Text("F", i + 1), "m", "i"), Node(Text("F", i + 1), "o", "m")]);
            function.Node.ForEach(static node => node.Domain = "local");
            model.Functions.Add(function);
        }

        (int code, string error) = Run("print", Save(model));
        Assert.Equal(1, code);
        Assert.Contains("no runtime could inline", error, StringComparison.Ordinal);
        model.Functions[39].Node.ForEach(static node => node.OpType = "F0");
        Assert.Contains("calls itself", Run("print", Save(model)).Shown, StringComparison.Ordinal);
    }

    private static string Text(string prefix, int number) => string.Create(CultureInfo.InvariantCulture, $"{prefix}{number}");

    private static NodeProto Node(string op, string output, params string[] inputs)
    {
        var node = new NodeProto { OpType = op };
        node.Input.AddRange(inputs);
        node.Output.Add(output);
        return node;
    }

    /// <summary>A model from x, float [1, 4], to y.</summary>
    private static ModelProto Model(params NodeProto[] nodes)
    {
        var model = new ModelProto { IrVersion = 8, Graph = new GraphProto { Name = "g" } };
        model.OpsetImport.Add(new OperatorSetIdProto { Version = 18 });
        var shape = new TensorShapeProto();
        shape.Dim.AddRange([new TensorShapeProto.Dimension { DimValue = 1 }, new TensorShapeProto.Dimension { DimValue = 4 }]);
        model.Graph.Input.Add(
            new ValueInfoProto
            {
                Name = "x",
                Type = new TypeProto { TensorType = new TypeProto.Tensor { ElemType = TensorDataType.Float, Shape = shape } },
            });
        model.Graph.Output.Add(new ValueInfoProto { Name = "y" });
        model.Graph.Node.AddRange(nodes);
        return model;
    }

    private string Save(ModelProto model)
    {
        string path = Path.Combine(_folder, "m.onnx");
        ModelFile.Save(model, path);
        return path;
    }

    private static (int Code, string Shown) Run(params string[] args)
    {
        using var shown = new StringWriter { NewLine = "\n" };
        return (CliApplication.Run(args, new CliConsole(shown, shown)), shown.ToString());
    }

    private static Process Start(params string[] args)
    {
        var start = new ProcessStartInfo("dotnet") { UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true };
        start.ArgumentList.Add(typeof(CliApplication).Assembly.Location);
        foreach (string arg in args) start.ArgumentList.Add(arg);
        Process process = Process.Start(start)!;
        // Read by nobody: what is printed fits in the pipes.
        return process;
    }
}
