using NestQuant.Compiler.Pipeline;
using NestQuant.Onnx;
using NestQuant.Onnx.Files;
using NestQuant.Onnx.Graph;
using NestQuant.Onnx.Validation;

namespace NestQuant.Passes.Tests.Models;

/// <summary>Runs a pass and holds it to what every pass promises: a valid, ordered model, and no change the second time.</summary>
internal sealed record PassRun(ModelProto Model, bool Changed, IReadOnlyList<Decision> Decisions)
{
    public GraphProto Graph => Model.Graph!;

    public IEnumerable<string> Ops => Model.AllNodes().Select(static node => node.OpType);

    public static PassRun Of(IGraphPass pass, ModelProto model, bool loads = true)
    {
        byte[] before = ModelFile.ToBytes(model);
        var context = new ModelContext(model);
        bool changed = pass.Run(context).Changed;
        byte[] after = ModelFile.ToBytes(model);
        Assert.Equal(changed, !before.AsSpan().SequenceEqual(after));
        ModelValidation.Verify(model);

        var again = new ModelContext(model);
        Assert.False(pass.Run(again).Changed, $"{pass.Name} changed its own result");
        Assert.Equal(after, ModelFile.ToBytes(model));
        Assert.DoesNotContain(again.Decisions.Decisions, static decision => decision.Rewritten);
        if (loads) ModelRunner.Open(model).Dispose();
        return new PassRun(model, changed, context.Decisions.Decisions);
    }

    /// <summary>
    /// Runs a pass on a model whose results must stay the same within <paramref name="tolerance"/>, relative to the largest value.
    /// </summary>
    public static PassRun Preserving(IGraphPass pass, ModelProto model, float tolerance, params (string Name, TensorValue Value)[] feeds)
    {
        Dictionary<string, TensorValue> expected = ModelRunner.Run(model, feeds);
        PassRun run = Of(pass, model);
        Dictionary<string, TensorValue> actual = ModelRunner.Run(model, feeds);
        Assert.Equal(expected.Keys, actual.Keys);
        foreach ((string name, TensorValue value) in expected) Closeness.AssertClose(value, actual[name], tolerance);
        return run;
    }

    /// <summary>The only decision about a node.</summary>
    public Decision About(string node) => Assert.Single(Decisions, decision => decision.Node == node);

    public string ReasonFor(string node) => About(node).Reason ?? throw new InvalidOperationException($"'{node}' was rewritten");

    public bool HasInitializer(string name) => Graph.Initializer.Exists(tensor => tensor.Name == name);
}
