using System.Diagnostics;
using NestQuant.Compiler.Cli.Terminal;
using NestQuant.Data;
using NestQuant.Onnx;
using NestQuant.Onnx.Files;

namespace NestQuant.Compiler.Cli.Tests;

/// <summary>Calibration of a model with an operator that only a library of its own knows.</summary>
public sealed class CustomOperatorTests : IDisposable
{
    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [SkippableFact]
    public void A_model_with_custom_operators_is_calibrated_with_their_library()
    {
        string library = BuildLibrary();
        NpyArray.FromFloats([2, 3], [1, -2, 3, 4, 5, 6]).Write(_folder["x.npy"]);
        ModelFile.Save(Model(), _folder["m.onnx"]);

        string[] calibrate = ["calibrate", _folder["m.onnx"], "--data", _folder["x.npy"], "-o", _folder["r.json"]];
        Tool.Run(calibrate).ShouldFail(1, "ONNX Runtime does not load it");
        Tool.Run([.. calibrate, "--custom-ops", library]).ShouldSucceed();
        string text = File.ReadAllText(_folder["r.json"]);
        Assert.Contains("\"doubled\": {\n      \"count\": 6,\n      \"min\": -4,\n      \"max\": 12,", text, StringComparison.Ordinal);

        string[] compile = ["compile", _folder["m.onnx"], "-o", _folder["c.onnx"], "--nest", "8:6"];
        Tool.Run([.. compile, "--calibrate", _folder["x.npy"], "--custom-ops", library]).ShouldSucceed();
        ToolRun unknown = Tool.Run([.. compile, "--calibrate", _folder["r.json"]]).ShouldSucceed();
        Assert.Contains("not checked", unknown.Out, StringComparison.Ordinal);
        Assert.Contains("test.doubling", unknown.Out, StringComparison.Ordinal);
        Assert.DoesNotContain(
            "not checked",
            Tool.Run([.. compile, "--calibrate", _folder["r.json"], "--no-check"]).ShouldSucceed().Out,
            StringComparison.Ordinal);
        ToolRun known = Tool.Run([.. compile, "--calibrate", _folder["r.json"], "--custom-ops", library]).ShouldSucceed();
        Assert.DoesNotContain("not checked", known.Out, StringComparison.Ordinal);
        Tool.Run([.. compile, "--activations", "static", "--custom-ops", library]).ShouldSucceed();

        string[] export = ["export", _folder["c.onnx"], "--bits", "6", "-o", _folder["e.onnx"]];
        Assert.Contains("not checked", Tool.Run(export).ShouldSucceed().Out, StringComparison.Ordinal);
        Assert.DoesNotContain("not checked", Tool.Run([.. export, "--custom-ops", library]).ShouldSucceed().Out, StringComparison.Ordinal);
    }

    private static ModelProto Model()
    {
        var graph = new GraphProto { Name = "doubling" };
        graph.Input.Add(new ValueInfoProto { Name = "x", Type = FloatMatrix(3) });
        graph.Output.Add(new ValueInfoProto { Name = "y", Type = FloatMatrix(4) });
        graph.Initializer.Add(TensorProto.FromFloats("w", [3, 4], [.. Enumerable.Range(1, 12).Select(i => i * 0.1f)]));
        var doubling = new NodeProto { Name = "d", OpType = "Double", Domain = "test.doubling" };
        doubling.Input.Add("x");
        doubling.Output.Add("doubled");
        var product = new NodeProto { Name = "p", OpType = "MatMul" };
        product.Input.AddRange(["doubled", "w"]);
        product.Output.Add("y");
        graph.Node.AddRange([doubling, product]);
        var model = new ModelProto { IrVersion = 8, Graph = graph };
        model.OpsetImport.Add(new OperatorSetIdProto { Domain = "", Version = 17 });
        model.OpsetImport.Add(new OperatorSetIdProto { Domain = "test.doubling", Version = 1 });
        return model;
    }

    private static TypeProto FloatMatrix(long columns)
    {
        var shape = new TensorShapeProto();
        shape.Dim.Add(new TensorShapeProto.Dimension { DimParam = "batch" });
        shape.Dim.Add(new TensorShapeProto.Dimension { DimValue = columns });
        return new TypeProto { TensorType = new TypeProto.Tensor { ElemType = TensorDataType.Float, Shape = shape } };
    }

    private string BuildLibrary()
    {
        Skip.IfNot(OperatingSystem.IsLinux(), "the operator library is built on Linux");
        _folder.Write("double.c", System.Text.Encoding.UTF8.GetBytes(Source));
        try
        {
            using Process compiler = Process.Start(
                new ProcessStartInfo(
                    "cc",
                    [
                        "-shared", "-fPIC", "-O1", "-o", _folder["libdouble.so"], _folder["double.c"]
                    ])
                { RedirectStandardError = true, UseShellExecute = false })!;
            string error = compiler.StandardError.ReadToEnd();
            compiler.WaitForExit();
            Assert.True(compiler.ExitCode == 0, error);
        }
        catch (System.ComponentModel.Win32Exception)
        {
            Skip.If(true, "building the operator library needs a C compiler, and none is installed");
        }

        return _folder["libdouble.so"];
    }

    /// <summary>
    /// One operator, y = 2 x. ONNX Runtime's header need not be installed: functions are called by their place in its table.
    /// </summary>
    private const string Source =
        """
        #include <stddef.h>
        #include <stdint.h>

        typedef void* (*Function)();
        typedef struct { const Function* (*GetApi)(uint32_t); const char* (*GetVersionString)(void); } ApiBase;
        typedef struct Op {
          uint32_t version;
          void* create_kernel;
          const char* (*name)(const struct Op*);
          const char* (*provider)(const struct Op*);
          int (*input_type)(const struct Op*, size_t);
          size_t (*inputs)(const struct Op*);
          int (*output_type)(const struct Op*, size_t);
          size_t (*outputs)(const struct Op*);
          void* kernel_compute;
          void (*destroy)(void*);
          int (*input_characteristic)(const struct Op*, size_t);
          int (*output_characteristic)(const struct Op*, size_t);
          int (*input_memory)(const struct Op*, size_t);
          int (*variadic[4])(const struct Op*);
          void* (*create)(const struct Op*, const Function*, const void*, void**);
          void* (*compute)(void*, void*);
          void* infer_shape;
          int (*start_version)(const struct Op*);
          int (*end_version)(const struct Op*);
          void* in_place_and_alias[4];
        } Op;

        static const Function* api;
        static const char* name(const Op* op) { return "Double"; }
        static const char* provider(const Op* op) { return NULL; }
        static int is_float(const Op* op, size_t i) { return 1; }
        static size_t one(const Op* op) { return 1; }
        static int zero(const Op* op, size_t i) { return 0; }
        static int single(const Op* op) { return 1; }
        static int latest(const Op* op) { return 1000; }
        static void destroy(void* kernel) { }
        static void* create(const Op* op, const Function* functions, const void* info, void** kernel) { *kernel = (void*)op; return NULL; }

        static void* compute(void* kernel, void* context) {
          const void* input; void* output; float* x; float* y; int type; const int64_t* dims; size_t rank, count = 1;
          ((void* (*)(void*, size_t, const void**))api[90])(context, 0, &input);
          ((void* (*)(const void*, int*, const int64_t**, size_t*))api[414])(input, &type, &dims, &rank);
          ((void* (*)(void*, size_t, const int64_t*, size_t, void**))api[91])(context, 0, dims, rank, &output);
          ((void* (*)(const void*, float**))api[51])(input, &x);
          ((void* (*)(const void*, float**))api[51])(output, &y);
          for (size_t i = 0; i < rank; i++) count *= dims[i];
          for (size_t i = 0; i < count; i++) y[i] = 2 * x[i];
          return NULL;
        }

        static Op op = { 24, NULL, name, provider, is_float, one, is_float, one, NULL, destroy, zero, zero, zero,
          { single, single, single, single }, create, compute, NULL, single, latest, { NULL } };

        void* RegisterCustomOps(void* options, const ApiBase* base) {
          void* domain;
          api = base->GetApi(24);
          ((void* (*)(const char*, void**))api[26])("test.doubling", &domain);
          ((void* (*)(void*, const Op*))api[27])(domain, &op);
          ((void* (*)(void*, void*))api[28])(options, domain);
          return NULL;
        }
        """;
}
