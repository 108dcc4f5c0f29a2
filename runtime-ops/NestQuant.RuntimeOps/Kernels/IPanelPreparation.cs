namespace NestQuant.RuntimeOps.Kernels;

/// <summary>Brings panels of weights into the form that an algorithm multiplies.</summary>
internal unsafe interface IPanelPreparation
{
    /// <summary>Bytes of a prepared panel.</summary>
    int Bytes { get; }

    /// <summary>What multiplies the panels: of the same weights, the same object says the same bytes.</summary>
    object Form { get; }

    /// <summary>Prepares one panel.</summary>
    /// <param name="panel">Index of the panel.</param>
    /// <param name="prepared">Receives <see cref="Bytes"/> bytes.</param>
    void Prepare(int panel, byte* prepared);
}
