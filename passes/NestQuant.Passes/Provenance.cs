using System.Reflection;
using NestQuant.Compiler.Pipeline;
using NestQuant.Compiler.Reports;
using NestQuant.Onnx;

namespace NestQuant.Passes;

/// <summary>Where a compiled model comes from, in its <c>metadata_props</c>.</summary>
public static class Provenance
{
    /// <summary>Version of the compiler.</summary>
    public const string VersionKey = "nestquant.version";

    /// <summary>The options, one text in a fixed order.</summary>
    public const string OptionsKey = "nestquant.options";

    /// <summary>SHA-256 of the source file, lower-case hexadecimal; absent when the source was not a file.</summary>
    public const string SourceKey = "nestquant.source_sha256";

    /// <summary>The decision log as JSON (see <see cref="DecisionJson"/>) in its <see cref="CompactText"/> form; part models have
    /// none.</summary>
    public const string DecisionsKey = "nestquant.decisions";

    /// <summary>Version of this compiler.</summary>
    public static string Version { get; } = typeof(Provenance).Assembly.GetName().Version?.ToString(fieldCount: 3) ?? "0.0.0";

    /// <summary>The decision log of a compiled model; null for a part model and for one that was not compiled by this tool.</summary>
    /// <exception cref="ModelException">The metadata is damaged.</exception>
    public static DecisionLog? ReadDecisions(ModelProto model)
    {
        ArgumentNullException.ThrowIfNull(model);
        return model.MetadataProps.Find(static entry => entry.Key == DecisionsKey) is { } entry
            ? DecisionJson.Read(CompactText.Unpack(entry.Value ?? ""))
            : null;
    }

    /// <summary>Whether a model was compiled by this tool.</summary>
    internal static bool IsIn(ModelProto model) => model.MetadataProps.Exists(static entry => entry.Key == VersionKey);

    internal static void Write(ModelProto model, PassPipeline pipeline, CompilerOptions options, DecisionLog decisions)
    {
        Set(model, VersionKey, Version);
        Set(model, OptionsKey, OptionsText.Of(options) + Passes(pipeline, options));
        if (options.SourceSha256 is not null) Set(model, SourceKey, options.SourceSha256);
        Set(model, DecisionsKey, CompactText.Pack(DecisionJson.Write(decisions)));
    }

    /// <summary>Removes the decision log of a part model, which is that of the whole one.</summary>
    internal static ModelProto WithoutDecisions(ModelProto part)
    {
        part.MetadataProps.RemoveAll(static entry => entry.Key == DecisionsKey);
        return part;
    }

    /// <summary>The passes of a pipeline where they are not those that the options give.</summary>
    private static string Passes(PassPipeline pipeline, CompilerOptions options)
    {
        string passes = Names(pipeline);
        return passes == Names(NestQuantCompiler.CreatePipeline(options)) ? "" : $" passes={passes}";
    }

    private static string Names(PassPipeline pipeline) => string.Join(',', pipeline.Passes.Select(static pass => pass.Name));

    private static void Set(ModelProto model, string key, string value)
    {
        model.MetadataProps.RemoveAll(entry => entry.Key == key);
        model.MetadataProps.Add(new StringStringEntryProto { Key = key, Value = value });
    }
}
