using NestQuant.RuntimeOps.Kernels.Tiers;
using NestQuant.RuntimeOps.Packing;

namespace NestQuant.RuntimeOps.Kernels.Convolutions.Gathered;

/// <summary>Converts panels to the form that a tier multiplies: decoded, spread over bundled groups, summed and prepared.</summary>
/// <remarks>
/// A prepared panel is one or, beyond <see cref="KernelTier.MaxDotLength"/> rows of k, several pieces. A piece is the sums of its channels'
/// weights, int[32], and the result of <see cref="KernelTier.Prepare"/> for <c>[k/4][channel 32][4]</c>.
/// </remarks>
internal sealed unsafe class PreparedPanels : IPanelPreparation
{
    private const int GroupsPerPiece = KernelTier.MaxDotLength / 4;
    private const int GroupBytes = 4 * NestedLayout.PanelChannels;
    private const int SumBytes = sizeof(int) * NestedLayout.PanelChannels;

    private readonly KernelTier _tier;
    private readonly BundledWeights _weights;
    private readonly int _pieceBytes;
    private readonly bool _hasSums;

    /// <summary>Describes the panels of one convolution.</summary>
    /// <param name="tier">The tier that multiplies them.</param>
    /// <param name="weights">The weights, their groups bundled or not.</param>
    /// <param name="hasSums">Whether <see cref="Sums"/> will be read.</param>
    public PreparedPanels(KernelTier tier, BundledWeights weights, bool hasSums)
    {
        _tier = tier;
        _weights = weights;
        _hasSums = hasSums;
        Groups = weights.Groups;
        Pieces = (Groups + GroupsPerPiece - 1) / GroupsPerPiece;
        _pieceBytes = SumBytes + tier.PreparedBytes(Math.Min(Groups, GroupsPerPiece));
    }

    /// <inheritdoc/>
    public object Form => _tier;

    /// <summary>Groups of 4 rows of k, the last one completed with zeros.</summary>
    public int Groups { get; }

    /// <summary>Pieces of a panel.</summary>
    public int Pieces { get; }

    /// <summary>Bytes of a prepared panel.</summary>
    public int Bytes => checked(Pieces * _pieceBytes);

    /// <summary>Groups of 4 rows of k in a piece.</summary>
    public int GroupsOf(int piece) => Math.Min(GroupsPerPiece, Groups - piece * GroupsPerPiece);

    /// <summary>The sums of a piece's weights, int[32].</summary>
    public int* Sums(byte* prepared, int piece) => (int*)(prepared + (long)piece * _pieceBytes);

    /// <summary>The panel of a piece, for <see cref="KernelTier.Dot"/>.</summary>
    public sbyte* Piece(byte* prepared, int piece) => (sbyte*)Sums(prepared, piece) + SumBytes;

    /// <summary>Prepares one panel.</summary>
    /// <param name="panel">Index of the panel.</param>
    /// <param name="prepared">Receives <see cref="Bytes"/> bytes.</param>
    public void Prepare(int panel, byte* prepared)
    {
        // In bounds: the decoded panel takes Groups * 128 bytes of the pieces' memory, and a piece moves only towards the end, the last one
        // first, so none overwrites one that has not been moved.
        sbyte* values = (sbyte*)prepared + SumBytes;
        _weights.Decode(_tier, panel, values);
        for (int piece = Pieces - 1; piece >= 0; piece--)
        {
            int groups = GroupsOf(piece);
            sbyte* target = Piece(prepared, piece);
            long bytes = (long)groups * GroupBytes;
            if (piece > 0)
                Buffer.MemoryCopy(values + (long)piece * GroupsPerPiece * GroupBytes, target, bytes, bytes);
            if (_hasSums)
                _tier.SumWeights(target, groups, Sums(prepared, piece));
            _tier.Prepare(target, groups);
        }
    }
}
