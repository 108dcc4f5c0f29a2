namespace NestQuant.RuntimeOps.Kernels.Convolutions;

/// <summary>Converts panels of weights to the form that an algorithm multiplies.</summary>
internal unsafe interface IPanelPreparation
{
    /// <summary>Bytes of a prepared panel.</summary>
    int Bytes { get; }

    /// <summary>Identifies the prepared form: the same object and the same weights mean the same bytes.</summary>
    object Form { get; }

    /// <summary>Prepares one panel.</summary>
    /// <param name="panel">Index of the panel.</param>
    /// <param name="prepared">Receives <see cref="Bytes"/> bytes.</param>
    void Prepare(int panel, byte* prepared);
}
