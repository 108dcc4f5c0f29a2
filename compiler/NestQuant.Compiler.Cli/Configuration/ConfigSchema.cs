using System.Text.Json;
using NestQuant.Compiler.Cli.Rendering;

namespace NestQuant.Compiler.Cli.Configuration;

/// <summary>
/// The JSON schema (draft 2020-12) of configuration files: the keys that the reader knows, in the words of that language.
/// </summary>
internal static class ConfigSchema
{
    /// <summary>The schema, ending in a line feed.</summary>
    public static string Write() => JsonText.Write(static json =>
    {
        json.WriteStartObject();
        json.WriteString("$schema", "https://json-schema.org/draft/2020-12/schema");
        json.WriteString("title", "nestquant.json");
        WriteSection(json, ConfigKeys.Root);
        json.WriteEndObject();
    }) + "\n";

    private static void WriteSection(Utf8JsonWriter json, ConfigSection section)
    {
        json.WriteString("description", section.Description);
        json.WriteString("type", "object");
        json.WriteBoolean("additionalProperties", false);
        json.WriteStartObject("properties");
        foreach (ConfigKey key in section.Keys)
        {
            json.WriteStartObject(key.Name);
            if (key is ConfigSection inner) WriteSection(json, inner);
            else if (key is ConfigList list) WriteList(json, list);
            else WriteValue(json, (ConfigValue)key);
            json.WriteEndObject();
        }

        json.WriteEndObject();
    }

    private static void WriteList(Utf8JsonWriter json, ConfigList list)
    {
        json.WriteString("description", list.Description);
        json.WriteString("type", "array");
        json.WriteStartObject("items");
        WriteSection(json, list.Item);
        json.WriteStartArray("allOf");
        WriteAnyOf(json, list.Selectors);
        WriteAnyOf(json, list.Item.Keys.Select(static key => key.Name).Except(list.Selectors));
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void WriteAnyOf(Utf8JsonWriter json, IEnumerable<string> names)
    {
        json.WriteStartObject();
        json.WriteStartArray("anyOf");
        foreach (string name in names)
        {
            json.WriteStartObject();
            json.WriteStartArray("required");
            json.WriteStringValue(name);
            json.WriteEndArray();
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void WriteValue(Utf8JsonWriter json, ConfigValue value)
    {
        json.WriteString("description", value.Description);
        bool isList = value.Kind is ConfigKind.Texts or ConfigKind.Numbers;
        if (isList)
        {
            json.WriteString("type", "array");
            if (value.Kind == ConfigKind.Numbers) json.WriteNumber("minItems", 1);
            json.WriteStartObject("items");
        }

        json.WriteString("type", value.Kind switch
        {
            ConfigKind.Switch => "boolean",
            ConfigKind.Integer => "integer",
            ConfigKind.Number or ConfigKind.Numbers => "number",
            _ => "string",
        });
        if (value.Minimum is { } minimum) json.WriteNumber(value.IsExclusive ? "exclusiveMinimum" : "minimum", minimum);
        if (value.Kind == ConfigKind.Integer) json.WriteNumber("maximum", value.Maximum ?? int.MaxValue);
        if (value.Pattern is not null) json.WriteString("pattern", value.Pattern);
        if (value.Allowed is not null)
        {
            json.WriteStartArray("enum");
            foreach (string text in value.Allowed) json.WriteStringValue(text);
            json.WriteEndArray();
        }

        if (isList) json.WriteEndObject();
    }
}
