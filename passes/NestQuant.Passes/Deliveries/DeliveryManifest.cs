using System.Text.Encodings.Web;
using System.Text.Json;
using NestQuant.Onnx;
using NestQuant.Onnx.Files;

namespace NestQuant.Passes.Deliveries;

/// <summary>
/// The JSON form of a delivery: <c>{"precision","files":[{"path","bytes","sha256"}],"needs":[...]}</c>.
/// </summary>
internal static class DeliveryManifest
{
    private static readonly JsonSerializerOptions s_options = new(JsonSerializerDefaults.Web)
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        NewLine = "\n",
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
        WriteIndented = true,
    };

    /// <summary>Writes a delivery.</summary>
    public static string Write(Delivery delivery) => JsonSerializer.Serialize(delivery, s_options) + "\n";

    /// <summary>Reads a delivery.</summary>
    /// <param name="folder">The folder that holds it.</param>
    /// <exception cref="ModelException">The folder has none, or it is damaged.</exception>
    public static Delivery Read(string folder)
    {
        string path = Path.Combine(folder, Delivery.ManifestName);
        try
        {
            Delivery delivery = JsonSerializer.Deserialize<Delivery>(InputFile.ReadAll(path), s_options) ?? throw new JsonException("null");
            return delivery.Files.Concat(delivery.Needs).All(IsPlain)
                ? delivery
                : throw new JsonException("a file has no name of its own, or no hash");
        }
        catch (JsonException error)
        {
            throw new ModelException($"'{path}' is damaged: {error.Message.TrimEnd('.')}; split the model again", error);
        }
    }

    // A name that leads to another folder would let a delivery write where it likes.
    private static bool IsPlain(SavedFile file) =>
        file is { Path.Length: > 0, Sha256: not null } && file.Path == Path.GetFileName(file.Path) && file.Path is not ("." or "..");
}
