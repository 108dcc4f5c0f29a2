using System.Runtime.CompilerServices;
using NestQuant.RuntimeOps.Packing;

namespace NestQuant.RuntimeOps.Kernels.ImplicitGemm;

/// <summary>
/// An integer convolution as a matrix product whose rows are never formed: a tile of output positions is multiplied tap by tap where its activations lie,
/// in the input itself or in a copy that has the padding.
/// </summary>
/// <remarks>
/// The output is cut into blocks of positions and panels of 32 channels, and those into parts. Weights are decoded by the part that needs them, or, where several
/// need them, once before; so is the padded input copied. Which part runs where does not matter: every output element is computed whole, in exact integers,
/// by one part.
/// </remarks>
internal sealed unsafe class ImplicitGemmConvolution
{
    // A small layer's decoded weights stay in a core's private cache beside its input.
    private const long MostSharedWeightBytes = 512 * 1024;

    // The padded input that all parts share.
    private const long MostSharedBandBytes = 4 << 20;

    // Decoded panels of one part at a time.
    private const long MostPartWeightBytes = 512 * 1024;

    private const int LeastRowsPerPart = 128;

    private const long MostBandBytes = 16 << 20;

    private readonly KernelTier _tier;
    private readonly TileProduct _product;
    private readonly ConvolutionGeometry _geometry;
    private readonly NestedLayout _layout;
    private readonly ConvolutionData _data;
    private readonly ChunkPlan _plan;
    private readonly InputBand _band;
    private readonly RowBlocks _blocks;
    private readonly ChunkedPanels _panels;
    private readonly PanelCache.Entry? _cache;
    private readonly nint[] _chunkOffsets;
    private readonly int _rowParts;
    private readonly int _panelParts;
    private readonly long _panelBytes;
    private readonly long _bandBytes;
    private readonly long _outputStride;
    private readonly RowCompletion? _completion;
    private byte* _sharedPanels;
    private byte* _sharedBands;

    private ImplicitGemmConvolution(
        KernelTier tier, TileProduct product, BundledWeights bundled, in PanelSource weights, in ConvolutionData data, RowEpilogue? epilogue)
    {
        _tier = tier;
        _product = product;
        _geometry = bundled.Geometry;
        _layout = weights.Layout;
        _data = data;
        _plan = new ChunkPlan(_geometry, product.MostChunkBytes);
        _band = new InputBand(_geometry);
        _panels = new ChunkedPanels(tier, product, bundled, _plan);
        _cache = weights.Cache?.Enter(_panels, weights.IsPart, _layout.Panels);
        _panelBytes = Aligned(_panels.Bytes);
        (_rowParts, _panelParts) = Split(wanted: Math.Clamp(2 * Environment.ProcessorCount, 4, 64));
        _blocks = new RowBlocks(_geometry, _band, _rowParts, product.MostRows);
        _rowParts = Math.Min(_rowParts, _blocks.Count);
        _bandBytes = Aligned(_band.Bytes(_blocks.MostLines));
        _chunkOffsets = _band.ChunkOffsets(_plan, _blocks.MostLines);
        _outputStride = (epilogue?.RowStride ?? _geometry.OutputChannels) * data.OutputBytes;
        _completion = epilogue is null ? null : new RowCompletion(epilogue, _blocks.Count, _panelParts);
    }

    private bool SharesPanels => _rowParts > 1;

    private bool SharesBands => _panelParts > 1 && !_band.IsInPlace;

    /// <summary>
    /// Whether the weights have no zero points, a sum fits in 32 bits, groups can be bundled to whole panels, and the input under a line is of reasonable size.
    /// </summary>
    public static bool Applies(ConvolutionGeometry geometry, in ConvolutionData data)
    {
        int bundle = Bundle(geometry);
        return bundle > 0
            && geometry.ReductionLength * (long)bundle <= KernelTier.MaxDotLength
            && data.LargestZeroPoint(geometry.OutputChannels) == 0
            && InputBand.Applies(geometry)
            && new InputBand(geometry.Bundled(bundle)).Bytes(1) <= MostBandBytes;
    }

    /// <summary>Computes the whole output; see <see cref="NestedConvolution.Run"/>.</summary>
    public static void Run(
        KernelTier tier,
        TileProduct product,
        ConvolutionGeometry geometry,
        in PanelSource weights,
        in ConvolutionData data,
        ParallelLoop loop,
        RowEpilogue? epilogue)
    {
        ImplicitGemmConvolution convolution = new(tier, product, new BundledWeights(weights, geometry, Bundle(geometry)), weights, data, epilogue);
        convolution.Run(loop);
    }

    /// <summary>How many groups to multiply as one, so that a panel belongs to one of them; 0 where that would be mostly zeros.</summary>
    private static int Bundle(ConvolutionGeometry geometry)
    {
        const int most = 16;
        for (int bundle = 1; bundle <= Math.Min(most, geometry.Groups); bundle++)
        {
            if (geometry.Groups % bundle == 0 && (bundle == geometry.Groups || geometry.OutputsPerGroup * (long)bundle % NestedLayout.PanelChannels == 0))
                return bundle;
        }

        return 0;
    }

    private static long Aligned(long bytes) => (bytes + 63) & ~63L;

    /// <summary>How many parts along positions and along channels.</summary>
    private (int Rows, int Panels) Split(int wanted)
    {
        int panels = _layout.Panels;
        int rowParts = Math.Clamp(_geometry.Rows / LeastRowsPerPart, 1, wanted);
        if (_panelBytes * panels <= MostSharedWeightBytes)
            return (rowParts, Math.Min(panels, (wanted + rowParts - 1) / rowParts));
        return _band.Bytes(_geometry.Height.Output) * _geometry.Batch <= MostSharedBandBytes ? (1, Math.Min(panels, wanted)) : (rowParts, 1);
    }

    private void Run(ParallelLoop loop)
    {
        using AlignedMemory panels = new(SharesPanels ? _panelBytes * _layout.Panels : 0);
        using AlignedMemory bands = new(SharesBands ? _bandBytes * _blocks.Count : 0);
        _sharedPanels = panels.Address;
        _sharedBands = bands.Address;
        if (SharesPanels)
            loop.Run(_layout.Panels, panel => Prepare(panel, _sharedPanels + panel * _panelBytes));
        if (SharesBands)
            loop.Run(_blocks.Count, block => _band.Copy(_data, _blocks[block], _blocks.MostLines, _sharedBands + block * _bandBytes));
        loop.Run(_rowParts * _panelParts, RunPart);
    }

    private void Prepare(int panel, byte* prepared)
    {
        if (!IsKept(panel))
            _panels.Prepare(panel, prepared);
    }

    private bool IsKept(int panel) => _cache is not null && _cache.Get(_panels, panel) != null;

    private void RunPart(int part)
    {
        (int rowPart, int panelPart) = Math.DivRem(part, _panelParts);
        int firstBlock = (int)((long)_blocks.Count * rowPart / _rowParts), endBlock = (int)((long)_blocks.Count * (rowPart + 1) / _rowParts);
        int firstPanel = (int)((long)_layout.Panels * panelPart / _panelParts), endPanel = (int)((long)_layout.Panels * (panelPart + 1) / _panelParts);
        int step = SharesPanels ? endPanel - firstPanel : (int)Math.Clamp(MostPartWeightBytes / _panelBytes, 1, endPanel - firstPanel);
        using AlignedMemory ownPanels = new(SharesPanels ? 0 : step * _panelBytes);
        using AlignedMemory ownBand = new(SharesBands || _band.IsInPlace ? 0 : _bandBytes);
        using AlignedMemory tile = new((long)_product.MostRows * KernelTier.TileChannels * sizeof(int));
        fixed (nint* chunks = _chunkOffsets)
        {
            TileArguments arguments = new()
            {
                Chunks = chunks,
                EndOfChunks = chunks + _chunkOffsets.Length,
                ChunkGroups = _plan.ChunkGroups,
                RowStride = _band.RowStride,
                Tile = (int*)tile.Address,
            };
            for (int panel = firstPanel; panel < endPanel; panel += step)
            {
                int end = Math.Min(panel + step, endPanel);
                byte* prepared = SharesPanels ? _sharedPanels + panel * _panelBytes : ownPanels.Address;
                for (int i = panel; i < end && !SharesPanels; i++)
                    Prepare(i, prepared + (i - panel) * _panelBytes);
                for (int block = firstBlock; block < endBlock; block++)
                {
                    RunBlock(block, panel, end, prepared, ownBand.Address, arguments);
                    if (end == endPanel)
                        _completion?.PartDone(block, _blocks[block].FirstRow, _blocks[block].Rows);
                }
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void RunBlock(int index, int firstPanel, int endPanel, byte* prepared, byte* ownBand, TileArguments arguments)
    {
        RowBlock block = _blocks[index];
        byte* rows = _band.IsInPlace ? _data.X + (long)block.FirstRow * _band.RowStride : SharesBands ? _sharedBands + index * _bandBytes : ownBand;
        if (!_band.IsInPlace && !SharesBands)
            _band.Copy(_data, block, _blocks.MostLines, rows);
        int pitch = block.Lines == 1 ? block.LineRows : _band.Pitch;
        int run = _product.CrossesLines ? (block.Lines - 1) * pitch + block.LineRows : block.LineRows;
        _product.Begin(run, _plan.ChunkGroups);
        for (int panel = firstPanel; panel < endPanel; panel++)
        {
            byte* kept = _cache == null ? null : _cache.Get(_panels, panel);
            byte* weights = kept != null ? kept : prepared + (panel - firstPanel) * _panelBytes;
            MultiplyPanel(block, pitch, run, rows, panel, weights, ref arguments);
        }

        _product.End();
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void MultiplyPanel(in RowBlock block, int pitch, int run, byte* rows, int panel, byte* weights, ref TileArguments arguments)
    {
        // In bounds: a row's chunks lie in the band, or in the input's row, whose channels of the group begin here; a panel belongs to one group.
        int firstChannel = panel * KernelTier.TileChannels;
        int channels = _layout.ChannelsOf(panel);
        PanelEpilogue epilogue = _data.Epilogue(firstChannel, channels);
        for (int channel = 0; channel < KernelTier.TileChannels; channel++)
            epilogue.RowCentering[channel] = ChunkedPanels.Sums(weights)[channel] * _data.XZeroPoint;
        rows += firstChannel / _geometry.OutputsPerGroup * _geometry.ChannelsPerGroup;
        byte* y = _data.Output(firstChannel) + block.FirstRow * _outputStride;
        int vectors = channels > KernelTier.TileChannels / 2 ? 2 : 1;
        arguments.Panel = ChunkedPanels.Weights(weights);
        fixed (TileArguments* passed = &arguments)
        {
            for (int line = 0; line < (_product.CrossesLines ? 1 : block.Lines); line++)
            {
                int row = 0;
                while (row < run)
                {
                    (int first, int count) = _product.Tile(row, run);
                    passed->Rows = rows + (long)(line * pitch + first) * _band.RowStride;
                    _product.Multiply(passed, count, vectors);
                    Store(block, pitch, line * pitch + row, line * pitch + first + count, passed->Tile + (row - first) * KernelTier.TileChannels, channels, epilogue, y);
                    row = first + count;
                }
            }
        }
    }

    /// <summary>Stores the rows that are positions of the output; those between the lines are not.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Store(in RowBlock block, int pitch, int row, int end, int* tile, int channels, in PanelEpilogue epilogue, byte* y)
    {
        while (row < end)
        {
            (int line, int column) = Math.DivRem(row, pitch);
            int count = Math.Min(end - row, block.LineRows - column);
            if (count > 0)
                _tier.Store(tile, count, 0, channels, epilogue, null, y + ((long)line * block.LineRows + column) * _outputStride, _outputStride);
            int next = Math.Min(end, column < block.LineRows ? row + count : (line + 1) * pitch);
            tile += (next - row) * KernelTier.TileChannels;
            row = next;
        }
    }
}
