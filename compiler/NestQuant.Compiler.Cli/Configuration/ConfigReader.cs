using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using NestQuant.Onnx;
using NestQuant.Onnx.Files;
using NestQuant.Passes.Nesting;
using NestQuant.Passes.Selection;

namespace NestQuant.Compiler.Cli.Configuration;

/// <summary>Reads configuration files. Errors name the file, the line, the column and the key.</summary>
internal sealed class ConfigReader
{
    /// <summary>Longer files are refused: what is read must not be able to fill the memory.</summary>
    private const int MostBytes = 1 << 20;

    private readonly string _path;
    private readonly byte[] _text;
    private readonly Dictionary<string, IReadOnlyList<string>> _values = new(StringComparer.Ordinal);
    private readonly List<WeightRule> _rules = [];

    private ConfigReader(string path, byte[] text)
    {
        _path = path;
        _text = text;
    }

    /// <summary>Reads a file.</summary>
    /// <exception cref="ModelException">It is not there, no JSON, or says something that a configuration cannot say.</exception>
    public static Config Read(string path)
    {
        if (InputFile.Length(path) > MostBytes)
            throw new ModelException($"{path}: a configuration has at most {MostBytes >> 20} MiB");
        return Parse(path, InputFile.ReadAll(path));
    }

    /// <summary>Reads the text of a file.</summary>
    /// <param name="path">Its name, for messages.</param>
    /// <param name="text">The text, UTF-8.</param>
    /// <exception cref="ModelException">It is no JSON, or says something that a configuration cannot say.</exception>
    public static Config Parse(string path, byte[] text)
    {
        var reader = new ConfigReader(
            path, text.AsSpan().StartsWith(Encoding.UTF8.Preamble) ? text[Encoding.UTF8.Preamble.Length..] : text);
        var json = new Utf8JsonReader(
            reader._text, new JsonReaderOptions { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true });
        try
        {
            json.Read();
            reader.ReadSection(ref json, ConfigKeys.Root, "", reader._values);
            json.Read(); // fails where more follows
        }
        catch (JsonException e)
        {
            string problem = e.Message.Split(" LineNumber:")[0].TrimEnd('.');
            throw new ModelException($"{path}:{(e.LineNumber ?? 0) + 1}:{(e.BytePositionInLine ?? 0) + 1}: this is no JSON: {problem}", e);
        }

        return new Config(reader._values, reader._rules);
    }

    private void ReadSection(
        ref Utf8JsonReader json, ConfigSection section, string at, Dictionary<string, IReadOnlyList<string>> values)
    {
        if (json.TokenType != JsonTokenType.StartObject) throw Wrong(json, at, "an object");
        var seen = new HashSet<string>(StringComparer.Ordinal);
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            string name = json.GetString()!, path = at.Length == 0 ? name : $"{at}.{name}";
            if (section.Keys.FirstOrDefault(key => key.Name == name) is not { } key)
                throw Fault(json, path, "unknown key" + NearNames.Hint(name, section.Keys.Select(static key => key.Name)));
            if (!seen.Add(name)) throw Fault(json, path, "this key is there twice");
            json.Read();
            if (key is ConfigSection inner) ReadSection(ref json, inner, path, values);
            else if (key is ConfigList list) ReadRules(ref json, list, path);
            else values[path] = ReadValue(ref json, (ConfigValue)key, path);
        }
    }

    private void ReadRules(ref Utf8JsonReader json, ConfigList list, string at)
    {
        if (json.TokenType != JsonTokenType.StartArray) throw Wrong(json, at, "a list of objects");
        while (json.Read() && json.TokenType != JsonTokenType.EndArray)
        {
            string path = string.Create(CultureInfo.InvariantCulture, $"{at}[{_rules.Count}]");
            Utf8JsonReader start = json;
            var values = new Dictionary<string, IReadOnlyList<string>>(StringComparer.Ordinal);
            ReadSection(ref json, list.Item, path, values);
            WeightRule rule = RuleText.Read(
                name => values.TryGetValue($"{path}.{name}", out IReadOnlyList<string>? value) ? value[0] : null);
            int selectors = list.Selectors.Count(name => values.ContainsKey($"{path}.{name}"));
            if (selectors == 0) throw Fault(start, path, $"a rule needs one of {string.Join(" and ", list.Selectors)}, or both");
            if (selectors == values.Count) throw Fault(start, path, "this rule gives no setting");
            _rules.Add(rule);
        }
    }

    private string[] ReadValue(ref Utf8JsonReader json, ConfigValue key, string at)
    {
        if (key.Kind is not (ConfigKind.Texts or ConfigKind.Numbers)) return [ReadItem(json, key, at)];
        if (json.TokenType != JsonTokenType.StartArray)
            throw Wrong(json, at, key.Kind == ConfigKind.Texts ? "a list of texts" : "a list of numbers");
        Utf8JsonReader start = json;
        var items = new List<string>();
        while (json.Read() && json.TokenType != JsonTokenType.EndArray)
            items.Add(ReadItem(json, key, string.Create(CultureInfo.InvariantCulture, $"{at}[{items.Count}]")));
        return key.Kind == ConfigKind.Numbers && items.Count == 0 ? throw Wrong(start, at, "at least one number") : [.. items];
    }

    private string ReadItem(Utf8JsonReader json, ConfigValue key, string at) => key.Kind switch
    {
        ConfigKind.Switch => json.TokenType switch
        {
            JsonTokenType.True => Config.On,
            JsonTokenType.False => Config.Off,
            _ => throw Wrong(json, at, "true or false"),
        },
        ConfigKind.Text or ConfigKind.Texts => ReadText(json, key, at),
        _ => ReadNumber(json, key, at),
    };

    private string ReadText(Utf8JsonReader json, ConfigValue key, string at)
    {
        if (json.TokenType != JsonTokenType.String) throw Wrong(json, at, "a text");
        string text = json.GetString()!;
        if (key.Allowed is { } allowed && !allowed.Contains(text, StringComparer.Ordinal))
            throw Fault(json, at, $"'{text}' is none of {string.Join(", ", allowed)}");
        if (key.Pattern is { } pattern
            && !Regex.IsMatch(text, pattern, RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, TimeSpan.FromSeconds(1)))
            throw Fault(json, at, $"'{text}' is impossible: write {key.Example}");
        return text;
    }

    private string ReadNumber(Utf8JsonReader json, ConfigValue key, string at)
    {
        bool isInteger = key.Kind == ConfigKind.Integer;
        if (json.TokenType != JsonTokenType.Number) throw Wrong(json, at, isInteger ? "an integer" : "a number");
        if (isInteger && !json.TryGetInt32(out _)) throw Fault(json, at, "an integer of at most 32 bits is needed");
        double number = json.GetDouble();
        if (!double.IsFinite(number) || number < key.Minimum || (key.IsExclusive && number == key.Minimum))
            throw Fault(
                json, at, string.Create(
                    CultureInfo.InvariantCulture, $"a number {(key.IsExclusive ? "above" : "of at least")} {key.Minimum} is needed"));
        if (number > key.Maximum)
            throw Fault(json, at, string.Create(CultureInfo.InvariantCulture, $"a number of at most {key.Maximum} is needed"));
        return Encoding.UTF8.GetString(json.ValueSpan);
    }

    private ModelException Wrong(Utf8JsonReader json, string at, string needed) =>
        Fault(json, at, $"{needed} is needed, and this is {Name(json)}");

    private ModelException Fault(Utf8JsonReader json, string at, string problem)
    {
        ReadOnlySpan<byte> before = _text.AsSpan(0, (int)json.TokenStartIndex);
        int line = before.Count((byte)'\n') + 1, column = Encoding.UTF8.GetCharCount(before[(before.LastIndexOf((byte)'\n') + 1)..]) + 1;
        return new ModelException($"{_path}:{line}:{column}: {(at.Length == 0 ? "" : $"{at}: ")}{problem}");
    }

    private static string Name(Utf8JsonReader json) => json.TokenType switch
    {
        JsonTokenType.StartObject => "an object",
        JsonTokenType.StartArray => "a list",
        JsonTokenType.String => $"the text '{json.GetString()}'",
        JsonTokenType.Number => $"the number {Encoding.UTF8.GetString(json.ValueSpan)}",
        JsonTokenType.Null => "null",
        _ => json.TokenType.ToString().ToLowerInvariant(),
    };
}
