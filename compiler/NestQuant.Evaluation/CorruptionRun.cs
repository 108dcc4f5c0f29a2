using NestQuant.Data;
using NestQuant.Data.Corruptions;
using NestQuant.Onnx;

namespace NestQuant.Evaluation;

/// <summary>Evaluates clean data, then the same data under every corruption and severity asked for.</summary>
public sealed class CorruptionRun(CorruptionSelection? selection, CorruptionOptions options)
{
    /// <summary>Times that the data set is read.</summary>
    public int Passes => 1 + (selection is null ? 0 : selection.Corruptions.Count * selection.Severities.Count);

    /// <summary>Evaluates.</summary>
    /// <param name="evaluate">Evaluates one data set and reports its samples done.</param>
    /// <param name="data">The clean data.</param>
    /// <param name="progress">Told the number of samples done over all passes.</param>
    /// <exception cref="ModelException">The data does not fit the model, or holds no pictures.</exception>
    public EvaluationResult Evaluate(Func<Dataset, Action<long>?, EvaluationResult> evaluate, Dataset data, Action<long>? progress)
    {
        EvaluationResult clean = evaluate(data, progress);
        var corrupted = new List<CorruptedResult>();
        foreach (Corruption corruption in selection?.Corruptions ?? [])
        {
            foreach (int severity in selection!.Severities)
            {
                long before = (1 + corrupted.Count) * data.Count;
                EvaluationResult result = evaluate(
                    new CorruptedDataset(data, corruption, severity, options), progress is null ? null : done => progress(before + done));
                corrupted.Add(new CorruptedResult(corruption.Name, severity, result.ReferenceTop1, result.Precisions));
            }
        }

        return clean with { Corruptions = corrupted };
    }
}
