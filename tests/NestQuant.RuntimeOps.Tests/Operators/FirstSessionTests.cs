using Microsoft.ML.OnnxRuntime;
using NestQuant.Onnx.Files;

namespace NestQuant.RuntimeOps.Tests.Operators;

public class FirstSessionTests
{
    /// <summary>ONNX Runtime's table of domains is not guarded: creating many sessions at once must work all the same.</summary>
    [Fact]
    public void Sessions_may_be_created_on_many_threads_at_once()
    {
        byte[] model = ModelFile.ToBytes(NestedModels.Conv(NestedModels.SmallConv()).Build());
        Parallel.For(0, 32, new ParallelOptions { MaxDegreeOfParallelism = 8 }, _ =>
        {
            using SessionOptions options = new SessionOptions { IntraOpNumThreads = 1 }.RegisterNestQuantOps();
            using InferenceSession session = new(model, options);
        });
    }
}
