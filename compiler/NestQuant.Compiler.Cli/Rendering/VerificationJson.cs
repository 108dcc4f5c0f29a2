using NestQuant.Compiler.Reports;
using NestQuant.Passes.Verification;

namespace NestQuant.Compiler.Cli.Rendering;

/// <summary>
/// The stable JSON form of <c>verify</c>: <c>{"model","ok","weights","files":[...],"problems":[{"file","problem"}],"notes":[...]}</c>.
/// </summary>
internal static class VerificationJson
{
    public static string Write(string model, ModelVerification verification) => JsonText.Write(json =>
    {
        json.WriteStartObject();
        json.WriteString("model", model);
        json.WriteBoolean("ok", verification.Problems.Count == 0);
        json.WriteNumber("weights", verification.Weights);
        ReportJson.WriteFiles(json, verification.Files);
        json.WriteStartArray("problems");
        foreach (VerificationProblem problem in verification.Problems)
        {
            json.WriteStartObject();
            json.WriteString("file", problem.File);
            json.WriteString("problem", problem.Problem);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteStartArray("notes");
        foreach (string note in verification.Notes)
            json.WriteStringValue(note);
        json.WriteEndArray();
        json.WriteEndObject();
    });
}
