using NestQuant.RuntimeOps.Kernels.Execution;
using NestQuant.RuntimeOps.Kernels.Tiers;

namespace NestQuant.RuntimeOps.Kernels.Convolutions.Winograd;

/// <summary>Transforms nested weights, panel by panel.</summary>
/// <remarks>
/// A transformed panel is <c>[chunk][strip]</c> of pieces: the weights of up to <see cref="ChunkChannels"/> input channels and the output
/// channels of a strip, which stay in a core's private cache while they are multiplied. A piece is
/// <c>[position 36][input/2][output of the strip][2]</c> in 16 bits.
/// </remarks>
/// <param name="tier">Decodes the weights.</param>
/// <param name="weights">Weights of a 3x3 convolution without groups.</param>
/// <param name="inputChannels">Its input channels, a multiple of 4.</param>
/// <param name="stripChannels">Output channels of a strip.</param>
internal sealed unsafe class WinogradWeights(KernelTier tier, PanelSource weights, int inputChannels, int stripChannels)
    : IPanelPreparation
{
    /// <summary>The most input channels of a chunk.</summary>
    public const int ChunkChannels = 128;

    // If the distance between positions were a power of two, all of them would compete for the same lines of the innermost cache.
    private const int Padding = 32;

    /// <summary>Chunks of a panel.</summary>
    public int Chunks => (inputChannels + ChunkChannels - 1) / ChunkChannels;

    /// <summary>16-bit values from one position of a piece to the next.</summary>
    public int PositionStride { get; } = Math.Min(inputChannels, ChunkChannels) * stripChannels + Padding;

    /// <summary>16-bit values of a piece.</summary>
    public int PieceLength => WinogradProduct.Positions * PositionStride;

    private int Strips => KernelTier.TileChannels / stripChannels;

    /// <inheritdoc/>
    public int Bytes => checked(Chunks * Strips * PieceLength * sizeof(short));

    /// <inheritdoc/>
    public object Form => typeof(WinogradWeights);

    /// <summary>Strips of a panel that have channels.</summary>
    public int StripsOf(int panel) => (weights.Layout.ChannelsOf(panel) + stripChannels - 1) / stripChannels;

    /// <summary>Input channels of a chunk.</summary>
    public int ChannelsOf(int chunk) => Math.Min(ChunkChannels, inputChannels - chunk * ChunkChannels);

    /// <summary>The position of a piece in a transformed panel.</summary>
    public short* Piece(byte* transformed, int chunk, int strip) => (short*)transformed + ((long)Strips * chunk + strip) * PieceLength;

    /// <inheritdoc/>
    public void Prepare(int panel, byte* prepared)
    {
        using Scratch decoded = new(weights.DecodedLength);
        Decode(panel, (sbyte*)decoded.Address);
        for (int chunk = 0; chunk < Chunks; chunk++)
        {
            for (int strip = 0; strip < StripsOf(panel); strip++)
                Transform((sbyte*)decoded.Address, chunk, strip, Piece(prepared, chunk, strip));
        }
    }

    /// <summary>Decodes a panel for <see cref="Transform"/>.</summary>
    /// <param name="panel">Index of the panel.</param>
    /// <param name="decoded">Receives <see cref="PanelSource.DecodedLength"/> values.</param>
    public void Decode(int panel, sbyte* decoded) => weights.Decode(tier, panel, decoded);

    /// <summary>Transforms one piece of a decoded panel.</summary>
    /// <param name="decoded">The decoded panel.</param>
    /// <param name="chunk">Index of the chunk.</param>
    /// <param name="strip">Index of the strip.</param>
    /// <param name="piece">Receives <see cref="PieceLength"/> values.</param>
    public void Transform(sbyte* decoded, int chunk, int strip, short* piece)
    {
        // In bounds: a tap of the decoded panel is 32 bytes for each input channel, and input channels come in groups of four.
        sbyte* first = decoded + (long)chunk * ChunkChannels * KernelTier.TileChannels + strip * stripChannels * 4;
        nint tapStride = (nint)inputChannels * KernelTier.TileChannels;
        WeightTransform.Run(first, tapStride, ChannelsOf(chunk) / 4, stripChannels, piece, PositionStride);
    }
}
