using System.Globalization;
using System.Text.Json;
using NestQuant.Compiler.Cli.Rendering;
using NestQuant.Passes.Nesting;

namespace NestQuant.Compiler.Cli.Configuration;

/// <summary>Writes configurations as <see cref="ConfigReader"/> reads them.</summary>
internal static class ConfigWriter
{
    /// <summary>The text of a configuration, ending in a line feed, keys in the order of <see cref="ConfigKeys"/>.</summary>
    public static string Write(Config config) => JsonText.Write(json => WriteSection(json, ConfigKeys.Root, "", config)) + "\n";

    private static void WriteSection(Utf8JsonWriter json, ConfigSection section, string at, Config config)
    {
        json.WriteStartObject();
        foreach (ConfigKey key in section.Keys)
        {
            string path = at + key.Name;
            if (key is ConfigSection inner && IsGiven(inner, path, config))
            {
                json.WritePropertyName(key.Name);
                WriteSection(json, inner, path + ".", config);
            }
            else if (key is ConfigValue value && config.Values.TryGetValue(path, out IReadOnlyList<string>? texts))
            {
                json.WritePropertyName(key.Name);
                WriteValue(json, value, texts);
            }
            else if (key is ConfigList list && config.Rules.Count > 0)
            {
                json.WriteStartArray(key.Name);
                foreach (WeightRule rule in config.Rules) WriteRule(json, list.Item, rule);
                json.WriteEndArray();
            }
        }

        json.WriteEndObject();
    }

    private static bool IsGiven(ConfigSection section, string path, Config config) => section.Keys.Any(
        key => key is ConfigList ? config.Rules.Count > 0 : config.Values.ContainsKey($"{path}.{key.Name}"));

    private static void WriteRule(Utf8JsonWriter json, ConfigSection keys, WeightRule rule)
    {
        json.WriteStartObject();
        foreach (ConfigValue key in keys.Keys.Cast<ConfigValue>())
        {
            if (RuleText.ValueOf(rule, key.Name) is not { } text) continue;
            json.WritePropertyName(key.Name);
            WriteValue(json, key, [text]);
        }

        json.WriteEndObject();
    }

    private static void WriteValue(Utf8JsonWriter json, ConfigValue key, IReadOnlyList<string> texts)
    {
        bool isList = key.Kind is ConfigKind.Texts or ConfigKind.Numbers;
        if (isList) json.WriteStartArray();
        foreach (string text in texts)
        {
            if (key.Kind is ConfigKind.Text or ConfigKind.Texts) json.WriteStringValue(text);
            else if (key.Kind == ConfigKind.Switch) json.WriteBooleanValue(text == Config.On);
            else json.WriteNumberValue(double.Parse(text, CultureInfo.InvariantCulture));
        }

        if (isList) json.WriteEndArray();
    }
}
