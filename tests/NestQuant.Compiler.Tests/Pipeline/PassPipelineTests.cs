using Microsoft.Extensions.Logging;
using NestQuant.Compiler.Pipeline;
using NestQuant.Onnx;
using NestQuant.TestSupport;

namespace NestQuant.Compiler.Tests.Pipeline;

public sealed class PassPipelineTests
{
    private static PassPipeline Pipeline => new PassPipeline().Use(new First()).Use(new Second()).Use(new First("again")).Use(new Third());

    [Fact]
    public void InsertsBeforeTheFirstAndAfterTheLastOfAType()
    {
        AssertNames(Pipeline.InsertBefore<First>(new Third("new")), "new", "first", "second", "again", "third");
        AssertNames(Pipeline.InsertAfter<First>(new Third("new")), "first", "second", "again", "new", "third");
        AssertNames(Pipeline.InsertAfter<Third>(new Second("new")), "first", "second", "again", "third", "new");
    }

    [Fact]
    public void ReplacesAndRemovesEveryPassOfAType()
    {
        AssertNames(Pipeline.Replace<First>(new Second("new")), "new", "second", "new", "third");
        AssertNames(Pipeline.Remove<First>(), "second", "third");
    }

    [Fact]
    public void SaysWhichPassesThereAreWhenATypeIsMissing()
    {
        PassPipeline pipeline = Pipeline.Remove<Second>();
        foreach (Action edit in (Action[])[
                () => pipeline.Remove<Second>(), () => pipeline.Replace<Second>(new First()),
                () => pipeline.InsertBefore<Second>(new First()), () => pipeline.InsertAfter<Second>(new First())
            ])
        {
            ArgumentException e = Assert.Throws<ArgumentException>(edit);
            Assert.Equal("the pipeline has no Second; its passes are first, again, third", e.Message);
        }
    }

    [Fact]
    public void ReportsWhetherAnyPassChangedTheModel()
    {
        Assert.False(Pipeline.Run(Context()).Changed);
        Assert.True(Pipeline.Use(new Breaking()).Run(Context(verify: false)).Changed);
    }

    [Fact]
    public void NamesThePassThatBreaksTheModelAndThoseBeforeIt()
    {
        PassException e = Assert.Throws<PassException>(() => Pipeline.InsertAfter<Second>(new Breaking()).Run(Context(verify: true)));
        Assert.Equal("breaking", e.Pass);
        Assert.Equal(["first", "second"], e.Before);
        Assert.Contains("pass 'breaking' left a model that is not valid: node 'y' reads 'later'", e.Message, StringComparison.Ordinal);
        Assert.EndsWith("the passes before it were first, second", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void LogsTheStartAndTheEndOfEveryPass()
    {
        var logger = new ListLogger();
        new PassPipeline().Use(new First()).Use(new Breaking()).Run(Context(verify: false, logger));
        Assert.Equal(
            ["Debug first: started", "Information first: unchanged in", "Debug breaking: started", "Information breaking: changed in"],
            logger.Lines);
    }

    private static ModelContext Context(bool verify = true, ILogger? logger = null)
    {
        var model = new GraphBuilder().Input("x", 2).Node("y = Neg(x)").Output("y").Model();
        return new ModelContext(model) { VerifyEachPass = verify, Logger = logger ?? new ListLogger() };
    }

    private static void AssertNames(PassPipeline pipeline, params string[] names) =>
        Assert.Equal(names, pipeline.Passes.Select(static pass => pass.Name));

    private sealed class First(string name = "first") : Unchanging(name);

    private sealed class Second(string name = "second") : Unchanging(name);

    private sealed class Third(string name = "third") : Unchanging(name);

    private abstract class Unchanging(string name) : IGraphPass
    {
        public string Name => name;

        public PassResult Run(ModelContext context) => PassResult.Unchanged;
    }

    /// <summary>Makes a node read what only a later node produces.</summary>
    private sealed class Breaking : IGraphPass
    {
        public string Name => "breaking";

        public PassResult Run(ModelContext context)
        {
            GraphProto graph = context.Model.Graph!;
            graph.Node[0].Input[0] = "later";
            graph.Node.Add(GraphBuilder.Parse("later = Neg(x)"));
            return new PassResult(Changed: true);
        }
    }

    private sealed class ListLogger : ILogger
    {
        public List<string> Lines { get; } = [];

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            string text = formatter(state, exception);
            int duration = text.IndexOf(" in ", StringComparison.Ordinal);
            Lines.Add($"{logLevel} {(duration < 0 ? text : text[..(duration + 3)])}");
        }
    }
}
