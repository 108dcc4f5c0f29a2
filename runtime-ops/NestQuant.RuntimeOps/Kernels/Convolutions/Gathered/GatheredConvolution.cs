using NestQuant.RuntimeOps.Kernels.Execution;
using NestQuant.RuntimeOps.Kernels.Tiers;
using NestQuant.RuntimeOps.Packing;

namespace NestQuant.RuntimeOps.Kernels.Convolutions.Gathered;

/// <summary>
/// Any convolution, by gathering: the output's rows (positions) and panels (32 channels) are cut into parts; a part gathers its rows'
/// activations once, unless the tier can read them from X in place, then prepares the weights of each of its panels in a cache-sized buffer
/// and multiplies.
/// </summary>
internal sealed unsafe class GatheredConvolution : ConvolutionPlan
{
    // Sized for a core's private cache: the gathered rows of a part and one prepared panel.
    private const int RowBufferBytes = 384 * 1024;
    private const int MaxRowsPerPart = 256;

    // So many panels use gathered rows that gathering them costs little, rows that leave the innermost cache above all.
    private const int InnerBufferBytes = 128 * 1024;
    private const int PanelsOfInnerRows = 2;
    private const int PanelsOfRows = 8;

    // Prepared panels that all parts share stay in a core's private cache together with its rows or, where there are too few of them for
    // all threads, in a cache that cores share.
    private const long MostSharedPanelBytes = 1024 * 1024;
    private const long MostPanelBytesOfThreads = 2 * 1024 * 1024;

    private const int PanelAlignment = 64;

    // Groups with fewer outputs are bundled up to the smallest tile of the tiers. Not with weight zero points: their products with row sums
    // must not include other groups' inputs.
    private const int LeastOutputsPerGroup = 16;

    private readonly KernelTier _tier;
    private readonly ConvolutionGeometry _geometry;
    private readonly PanelSource _weights;
    private readonly PreparedPanels _prepared;
    private readonly int _rowParts;
    private readonly int _rowsPerPart;
    private readonly int _panelsPerPart;
    private readonly int _panelParts;
    private readonly bool _isInPlace;
    private readonly bool _hasZeroPoint;
    private readonly bool _fitsInt32;
    private readonly long _outputStride;
    private readonly int _parts;
    private readonly Action<int> _prepareShared, _runPart;
    private readonly bool _sharesPanels;
    private readonly long _panelStride;
    private byte* _sharedPanels;

    private GatheredConvolution(in ConvolutionProblem problem)
        : base(problem)
    {
        PanelSource weights = problem.Weights;
        _hasZeroPoint = problem.LargestZeroPoint != 0;
        _tier = problem.Tier.For(weights.WeightBits, problem.Geometry.Rows, problem.Geometry.ReductionLength);
        BundledWeights bundled = new(weights, problem.Geometry, _hasZeroPoint ? 1 : Bundle(problem.Geometry));
        _geometry = bundled.Geometry;
        _weights = weights;
        // Cached panels are reused in runs with other zero points.
        bool needsSums = !_tier.Rows.IsCentered && (problem.HasActivationZeroPoint || weights.Cache is not null);
        _prepared = new PreparedPanels(_tier, bundled, needsSums);
        KeepPanels(_prepared);
        _isInPlace = _tier.Rows == RowFormat.Bytes && _geometry.IsPointwise && _geometry.ChannelsPerGroup % 4 == 0;
        _panelStride = (_prepared.Bytes + PanelAlignment - 1) & -PanelAlignment;
        (_rowParts, _rowsPerPart, _panelsPerPart, _sharesPanels) = Split(problem.Threads);
        _panelParts = (weights.Layout.Panels + _panelsPerPart - 1) / _panelsPerPart;

        _fitsInt32 = _prepared.Pieces == 1 && problem.LargestZeroPoint <= int.MaxValue / 255 / _geometry.ReductionLength - 128;
        _parts = checked(_rowParts * _panelParts);
        _outputStride = problem.OutputStride;
        _prepareShared = panel => _prepared.Prepare(panel, _sharedPanels + panel * _panelStride);
        _runPart = RunPart;
        CountParts(_rowParts, _panelParts);
    }

    private int RowValues => _prepared.Groups * 4;

    /// <summary>Bytes from one gathered row to the next.</summary>
    private int RowStride => _isInPlace ? _geometry.InputChannels : _tier.Rows.RowBytes(RowValues);

    /// <summary>Plans any problem; see the table of implementations.</summary>
    public static ConvolutionPlan TryPlan(in ConvolutionProblem problem) => new GatheredConvolution(problem);

    /// <inheritdoc/>
    protected override void Run(ParallelLoop loop)
    {
        using Scratch panels = new(_sharesPanels ? _panelStride * _weights.Layout.Panels : 0);
        _sharedPanels = panels.Address;
        if (_sharesPanels)
            loop.Run(_weights.Layout.Panels, _prepareShared);
        loop.Run(_parts, _runPart);
    }

    /// <summary>How many small groups to multiply as one.</summary>
    private static int Bundle(ConvolutionGeometry geometry)
    {
        int bundle = Math.Min(LeastOutputsPerGroup / geometry.OutputsPerGroup, geometry.Groups);
        return bundle <= 1 || geometry.Groups % bundle != 0 ? 1 : bundle;
    }

    /// <summary>Cuts the output into parts of whole tiles of rows and whole panels.</summary>
    private (int RowParts, int RowsPerPart, int PanelsPerPart, bool SharesPanels) Split(int threads)
    {
        int tileRows = _tier.TileRows, panels = _weights.Layout.Panels, tiles = (_geometry.Rows - 1) / tileRows + 1;
        int most = Math.Clamp(RowBufferBytes / RowStride, tileRows, MaxRowsPerPart);
        int least = (tiles - 1) / (most / tileRows) + 1;

        // Every part gathers its rows anew, so few panels are not divided but shared.
        bool areInner = Math.Min(most, _geometry.Rows) * (long)RowStride <= InnerBufferBytes;
        int mostPanelParts = Math.Max(1, panels / (_isInPlace ? 1 : areInner ? PanelsOfInnerRows : PanelsOfRows));
        long panelBytes = _panelStride * panels;
        bool sharesFew = least * (long)mostPanelParts < Partition.FewParts(threads) && panelBytes <= MostPanelBytesOfThreads;
        int panelParts = sharesFew ? 1 : Math.Min((Partition.WantedParts(threads) - 1) / least + 1, mostPanelParts);
        int tilesPerPart = panelParts > 1
            ? (tiles - 1) / least + 1
            : Partition.UnitsPerPart(tiles, sharesFew ? Partition.FewParts(threads) : least, threads);
        int rowParts = (tiles - 1) / tilesPerPart + 1;
        int panelsPerPart = panelParts > 1 ? Partition.UnitsPerPart(panels, panelParts, threads) : panels;
        bool sharesPanels = rowParts > 1 && _weights.Cache is null && (sharesFew || panelBytes <= MostSharedPanelBytes);
        return (rowParts, tilesPerPart * tileRows, panelsPerPart, sharesPanels);
    }

    private void RunPart(int part)
    {
        // The last part of the rows may be small, so that threads that start at different parts have other panels, not other rows.
        (int panelPart, int rowPart) = Math.DivRem(part, _rowParts);
        int firstRow = rowPart * _rowsPerPart;
        int rows = Math.Min(_rowsPerPart, _geometry.Rows - firstRow);
        int firstPanel = panelPart * _panelsPerPart;
        int endPanel = Math.Min(firstPanel + _panelsPerPart, _weights.Layout.Panels);

        using Scratch gathered = new(_isInPlace ? 0 : (long)rows * RowStride + PatchRows.MoveBytes);
        using Scratch own = new(_sharesPanels ? 0 : _prepared.Bytes);
        long* rowSums = stackalloc long[MaxRowsPerPart];
        RowPart target = new(gathered.Address, firstRow, rows, _hasZeroPoint ? rowSums : null);
        for (int panel = firstPanel; panel < endPanel; panel++)
        {
            byte* prepared = _sharesPanels ? _sharedPanels + panel * _panelStride : Kept == null ? null : Kept.Get(_prepared, panel);
            if (prepared == null)
                _prepared.Prepare(panel, prepared = own.Address);
            MultiplyPanel(ref target, panel, prepared);
        }

        RowsDone(rowPart, firstRow, rows);
    }

    private void MultiplyPanel(ref RowPart part, int panel, byte* prepared)
    {
        int firstChannel = panel * NestedLayout.PanelChannels;
        int endChannel = firstChannel + _weights.Layout.ChannelsOf(panel);
        PanelEpilogue epilogue = Data.Epilogue(firstChannel, endChannel - firstChannel);
        long* centering = stackalloc long[KernelTier.TileChannels];
        SumCentering(prepared, centering);
        for (int channel = 0; channel < KernelTier.TileChannels && _fitsInt32; channel++)
            epilogue.RowCentering[channel] = (int)centering[channel];
        byte* y = Data.Output(firstChannel) + part.FirstRow * _outputStride;
        for (int group = firstChannel / _geometry.OutputsPerGroup; group * (long)_geometry.OutputsPerGroup < endChannel; group++)
        {
            SelectGroup(ref part, group);
            int first = Math.Max(firstChannel, group * _geometry.OutputsPerGroup) - firstChannel;
            int end = Math.Min(endChannel, (group + 1) * _geometry.OutputsPerGroup) - firstChannel;
            MultiplyRows(part, prepared, first, end, epilogue, centering, y);
        }
    }

    /// <summary>The contribution of x's zero point to each channel's accumulators in rows of bytes: the zero point times the sum of the
    /// weights.</summary>
    private void SumCentering(byte* prepared, long* centering)
    {
        new Span<long>(centering, KernelTier.TileChannels).Clear();
        for (int piece = 0; piece < _prepared.Pieces && !_tier.Rows.IsCentered && Data.XZeroPoint != 0; piece++)
        {
            int* sums = _prepared.Sums(prepared, piece);
            for (int channel = 0; channel < KernelTier.TileChannels; channel++)
                centering[channel] += (long)sums[channel] * Data.XZeroPoint;
        }
    }

    /// <summary>Sets the rows of a group, gathered or in place.</summary>
    private void SelectGroup(ref RowPart part, int group)
    {
        if (group == part.Group)
            return;
        part.Group = group;
        if (_isInPlace)
        {
            // In bounds: row r of a pointwise convolution is position r of the input, and its group's channels are there.
            part.Rows = Data.X + (long)part.FirstRow * RowStride + (long)group * _geometry.ChannelsPerGroup;
            for (int row = 0; row < part.RowCount && part.RowSums != null; row++)
            {
                part.RowSums[row] = ByteRuns.Sum(part.Rows + (long)row * RowStride, _geometry.ReductionLength)
                    - (long)_geometry.ReductionLength * Data.XZeroPoint;
            }
        }
        else
        {
            PatchRows patches = new(_tier.Rows, _geometry, Data, RowValues);
            patches.Gather(group, part.FirstRow, part.RowCount, part.Rows, part.RowSums);
        }
    }

    private void MultiplyRows(in RowPart part, byte* prepared, int first, int end, in PanelEpilogue epilogue, long* centering, byte* y)
    {
        int* tile = stackalloc int[_tier.TileRows * KernelTier.TileChannels];
        for (int row = 0; row < part.RowCount; row += _tier.TileRows)
        {
            int tileRows = Math.Min(_tier.TileRows, part.RowCount - row);
            byte* x = part.Rows + (long)row * RowStride;
            long* rowSums = part.RowSums + row;
            byte* target = y + row * _outputStride;
            if (_fitsInt32)
            {
                _tier.Dot(x, RowStride, tileRows, _prepared.Piece(prepared, 0), _prepared.Groups, first, end, tile);
                _tier.Store(tile, tileRows, first, end, epilogue, rowSums, target, _outputStride);
            }
            else
            {
                MultiplyWide(x, tileRows, prepared, first, end, epilogue, centering, rowSums, tile, target);
            }
        }
    }

    /// <summary>A tile whose accumulators may exceed 32 bits: long reductions and large weight zero points.</summary>
    private void MultiplyWide(
        byte* x, int tileRows, byte* prepared, int first, int end, in PanelEpilogue epilogue, long* centering, long* rowSums, int* tile,
        byte* target)
    {
        Span<long> accumulators = stackalloc long[tileRows * KernelTier.TileChannels];
        accumulators.Clear();
        for (int piece = 0; piece < _prepared.Pieces; piece++)
        {
            _tier.Dot(x, RowStride, tileRows, _prepared.Piece(prepared, piece), _prepared.GroupsOf(piece), first, end, tile);
            x += (long)KernelTier.MaxDotLength * _tier.Rows.ValueBytes;
            for (int row = 0; row < tileRows; row++)
            {
                for (int channel = first; channel < end; channel++)
                    accumulators[row * KernelTier.TileChannels + channel] += tile[row * KernelTier.TileChannels + channel];
            }
        }

        for (int row = 0; row < tileRows; row++)
        {
            long rowSum = _hasZeroPoint ? rowSums[row] : 0;
            for (int channel = first; channel < end; channel++)
            {
                long sum = accumulators[row * KernelTier.TileChannels + channel] - centering[channel];
                epilogue.Write(sum, rowSum, channel, target + row * _outputStride);
            }
        }
    }

    /// <summary>The rows of a part, those of one group at a time.</summary>
    private struct RowPart(byte* rows, int firstRow, int rowCount, long* rowSums)
    {
        /// <summary>The rows of <see cref="Group"/>: the part's buffer, or their place in X.</summary>
        public byte* Rows = rows;

        /// <summary>The group whose rows are in the buffer, -1 for none.</summary>
        public int Group = -1;

        /// <summary>First output position.</summary>
        public readonly int FirstRow = firstRow;

        /// <summary>Number of rows.</summary>
        public readonly int RowCount = rowCount;

        /// <summary>Each row's centered sum, or null when it is not needed.</summary>
        public readonly long* RowSums = rowSums;
    }
}
