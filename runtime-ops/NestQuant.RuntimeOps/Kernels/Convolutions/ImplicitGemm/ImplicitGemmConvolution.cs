using System.Runtime.CompilerServices;
using NestQuant.RuntimeOps.Kernels.Execution;
using NestQuant.RuntimeOps.Kernels.Tiers;
using NestQuant.RuntimeOps.Packing;

namespace NestQuant.RuntimeOps.Kernels.Convolutions.ImplicitGemm;

/// <summary>
/// An integer convolution as a matrix product whose rows are never formed: a tile of output positions is multiplied tap by tap with
/// activations in place, in the input itself or in a padded copy.
/// </summary>
/// <remarks>
/// The output is cut into blocks of positions and panels of 32 channels, and those into parts. The part that needs weights decodes them or,
/// where several parts need them, they are decoded once before; the padded input is copied likewise. Results do not depend on the
/// scheduling: every output element is computed by one part, in exact integers.
/// </remarks>
internal sealed unsafe class ImplicitGemmConvolution : ConvolutionPlan
{
    // The decoded weights of a small layer stay in a core's private cache together with its input.
    private const long MostSharedWeightBytes = 512 * 1024;

    // The padded input that all parts share.
    private const long MostSharedBandBytes = 4 << 20;

    // Decoded panels of one part at a time.
    private const long MostPartWeightBytes = 512 * 1024;

    // Panels that fit in the innermost cache together with a tile's rows are all multiplied before the next tile, so that rows are read,
    // and lines of the output written, once.
    private const long MostInnerWeightBytes = 24 * 1024;
    private const int MostInnerPanels = 8;

    private const int LeastRowsPerPart = 128;

    private readonly TileProduct _product;
    private readonly ConvolutionGeometry _geometry;
    private readonly NestedLayout _layout;
    private readonly ChunkPlan _plan;
    private readonly InputBand _band;
    private readonly RowBlocks _blocks;
    private readonly ChunkedPanels _panels;
    private readonly bool _hasSums;
    private readonly nint[] _chunkOffsets;
    private readonly int _rowParts;
    private readonly int _panelParts;
    private readonly long _panelBytes;
    private readonly long _bandBytes;
    private readonly long _outputStride;
    private readonly Action<int> _prepareShared, _copyShared, _runPart;
    private byte* _sharedPanels;
    private byte* _sharedBands;

    private ImplicitGemmConvolution(in ConvolutionProblem problem, TileProduct product, BundledWeights bundled)
        : base(problem)
    {
        PanelSource weights = problem.Weights;
        _product = product;
        _geometry = bundled.Geometry;
        _layout = weights.Layout;
        _plan = new ChunkPlan(_geometry, product.MostChunkBytes);
        _band = new InputBand(_geometry);

        // Cached panels are reused in runs with other zero points.
        _hasSums = problem.HasActivationZeroPoint || weights.Cache is not null;
        _panels = new ChunkedPanels(problem.Tier, product, bundled, _plan, _hasSums);
        KeepPanels(_panels);
        _panelBytes = Aligned(_panels.Bytes);
        (_rowParts, _panelParts) = Split(Partition.WantedParts(problem.Threads));
        _blocks = new RowBlocks(_geometry, _band, _rowParts, product.MostRows);
        _rowParts = Math.Min(_rowParts, _blocks.Count);
        _bandBytes = Aligned(_band.Bytes(_blocks.MostLines));
        _chunkOffsets = _band.ChunkOffsets(_plan, _blocks.MostLines);
        _outputStride = problem.OutputStride;
        _prepareShared = panel => Prepare(panel, _sharedPanels + panel * _panelBytes);
        _copyShared = block => _band.Copy(Data, _blocks[block], _blocks.MostLines, _sharedBands + block * _bandBytes);
        _runPart = RunPart;
        CountParts(_blocks.Count, _panelParts);
    }

    private bool SharesPanels => _rowParts > 1;

    private bool SharesBands => _panelParts > 1 && !_band.IsInPlace;

    /// <summary>
    /// Plans a problem where the tier has a product of tiles for it, weights have no zero points, accumulators and results fit in 32
    /// bits, groups can be bundled to whole panels, and the input under a line is of reasonable size.
    /// </summary>
    public static ConvolutionPlan? TryPlan(in ConvolutionProblem problem)
    {
        ConvolutionGeometry geometry = problem.Geometry;
        int bundle = Bundle(geometry);
        long reductionLength = (long)geometry.ReductionLength * bundle;
        if (bundle == 0 || reductionLength > KernelTier.MaxDotLength || problem.LargestZeroPoint != 0 || !problem.AreResultsOfInt32)
            return null;
        return InputBand.Applies(geometry) && problem.Tier.TileProduct(geometry.Rows, (int)reductionLength) is { } product
            ? new ImplicitGemmConvolution(problem, product, new BundledWeights(problem.Weights, geometry, bundle))
            : null;
    }

    /// <summary>How many groups to multiply as one, so that a panel belongs to one bundle; 0 where bundles would be mostly zeros.</summary>
    private static int Bundle(ConvolutionGeometry geometry)
    {
        const int most = 16;
        for (int bundle = 1; bundle <= Math.Min(most, geometry.Groups); bundle++)
        {
            if (geometry.Groups % bundle == 0
                && (bundle == geometry.Groups || geometry.OutputsPerGroup * (long)bundle % NestedLayout.PanelChannels == 0))
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
        return _band.Bytes(_geometry.Height.Output) * _geometry.Batch <= MostSharedBandBytes
            ? (1, Math.Min(panels, wanted))
            : (rowParts, 1);
    }

    /// <inheritdoc/>
    protected override void Run(ParallelLoop loop)
    {
        using Scratch panels = new(SharesPanels ? _panelBytes * _layout.Panels : 0);
        using Scratch bands = new(SharesBands ? _bandBytes * _blocks.Count : 0);
        _sharedPanels = panels.Address;
        _sharedBands = bands.Address;
        if (SharesPanels)
            loop.Run(_layout.Panels, _prepareShared);
        if (SharesBands)
            loop.Run(_blocks.Count, _copyShared);
        loop.Run(_rowParts * _panelParts, _runPart);
    }

    private void Prepare(int panel, byte* prepared)
    {
        if (Kept is null || Kept.Get(_panels, panel) == null)
            _panels.Prepare(panel, prepared);
    }

    private void RunPart(int part)
    {
        (int rowPart, int panelPart) = Math.DivRem(part, _panelParts);
        int firstBlock = (int)((long)_blocks.Count * rowPart / _rowParts),
            endBlock = (int)((long)_blocks.Count * (rowPart + 1) / _rowParts);
        int firstPanel = (int)((long)_layout.Panels * panelPart / _panelParts),
            endPanel = (int)((long)_layout.Panels * (panelPart + 1) / _panelParts);

        // Weights that only one block needs are multiplied while they are in the innermost caches.
        long mostWeightBytes = endBlock - firstBlock == 1 ? MostInnerWeightBytes : MostPartWeightBytes;
        int step = SharesPanels ? endPanel - firstPanel : (int)Math.Clamp(mostWeightBytes / _panelBytes, 1, endPanel - firstPanel);
        using Scratch ownPanels = new(SharesPanels ? 0 : step * _panelBytes);
        using Scratch ownBand = new(SharesBands || _band.IsInPlace ? 0 : _bandBytes);
        using Scratch tiles = new(2L * _product.MostRows * KernelTier.TileChannels * sizeof(int));
        fixed (nint* chunks = _chunkOffsets)
        {
            TileArguments arguments = new()
            {
                Chunks = chunks,
                EndOfChunks = chunks + _chunkOffsets.Length,
                ChunkGroups = _plan.ChunkGroups,
                RowStride = _band.RowStride,
                Tile = (int*)tiles.Address,
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
                        RowsDone(block, _blocks[block].FirstRow, _blocks[block].Rows);
                }
            }
        }
    }

    [SkipLocalsInit]
    [MethodImpl(MethodCompilation.Loops)]
    private void RunBlock(int index, int firstPanel, int endPanel, byte* prepared, byte* ownBand, TileArguments arguments)
    {
        RowBlock block = _blocks[index];
        byte* rows = _band.IsInPlace
            ? Data.X + (long)block.FirstRow * _band.RowStride
            : SharesBands ? _sharedBands + index * _bandBytes
            : ownBand;
        if (!_band.IsInPlace && !SharesBands)
            _band.Copy(Data, block, _blocks.MostLines, rows);
        int pitch = block.Lines == 1 ? block.LineRows : _band.Pitch;
        int run = _product.CrossesLines ? (block.Lines - 1) * pitch + block.LineRows : block.LineRows;
        int together = (int)Math.Clamp(MostInnerWeightBytes / _panelBytes, 1, MostInnerPanels);
        PanelTask* tasks = stackalloc PanelTask[MostInnerPanels];
        _product.Begin(run, _plan.ChunkGroups);
        try
        {
            for (int panel = firstPanel; panel < endPanel; panel += together)
            {
                int count = Math.Min(together, endPanel - panel);
                for (int i = 0; i < count; i++)
                    Fill(ref tasks[i], block, panel + i, prepared + (panel + i - firstPanel) * _panelBytes);
                MultiplyPanels(block, pitch, run, rows, tasks, count, ref arguments);
            }
        }
        finally
        {
            _product.End();
        }
    }

    [MethodImpl(MethodCompilation.Loops)]
    private void Fill(ref PanelTask task, in RowBlock block, int panel, byte* prepared)
    {
        byte* kept = Kept == null ? null : Kept.Get(_panels, panel);
        if (kept != null)
            prepared = kept;
        int firstChannel = panel * KernelTier.TileChannels;
        task.Channels = _layout.ChannelsOf(panel);
        task.Epilogue = Data.Epilogue(firstChannel, task.Channels);
        for (int channel = 0; channel < KernelTier.TileChannels; channel++)
            task.Start[channel] = _hasSums ? -Data.XZeroPoint * ChunkedPanels.Sums(prepared)[channel] : 0;
        task.Weights = ChunkedPanels.Weights(prepared);

        // In bounds: a row has the channels of all groups, and a panel belongs to one of them.
        task.InputOffset = firstChannel / _geometry.OutputsPerGroup * _geometry.ChannelsPerGroup;
        task.Output = Data.Output(firstChannel) + block.FirstRow * _outputStride;
    }

    [MethodImpl(MethodCompilation.Loops)]
    private void MultiplyPanels(in RowBlock block, int pitch, int run, byte* rows, PanelTask* tasks, int count, ref TileArguments arguments)
    {
        int* tiles = arguments.Tile;
        int tileLength = _product.MostRows * KernelTier.TileChannels;
        fixed (TileArguments* passed = &arguments)
        {
            // A tile is stored with the next one's product, so that neither waits for the other.
            StoredRows stored = default;
            int parity = 0;
            for (int line = 0; line < (_product.CrossesLines ? 1 : block.Lines); line++)
            {
                int row = 0;
                while (row < run)
                {
                    // In bounds: the chunks of all rows of the block lie in the band, or in the input's rows.
                    (int first, int tileRows) = _product.Tile(row, run);
                    byte* tile = rows + (long)(line * pitch + first) * _band.RowStride;
                    for (PanelTask* task = tasks; task < tasks + count; task++)
                    {
                        passed->Rows = tile + task->InputOffset;
                        passed->Panel = task->Weights;
                        passed->Start = task->Start;
                        passed->Tile = tiles + parity * tileLength;
                        MultiplyAndStore(passed, tileRows, task->Channels > KernelTier.TileChannels / 2 ? 2 : 1, block, pitch, stored);
                        stored = new StoredRows(
                            task,
                            passed->Tile + (row - first) * KernelTier.TileChannels,
                            line * pitch + row,
                            line * pitch + first + tileRows);
                        parity ^= 1;
                    }

                    row = first + tileRows;
                }
            }

            Store(block, pitch, stored);
            passed->Tile = tiles;
        }
    }

    /// <summary>Multiplies a tile, and stores the one before it if there is one.</summary>
    [MethodImpl(MethodCompilation.Loops)]
    private void MultiplyAndStore(
        TileArguments* arguments, int tileRows, int vectors, in RowBlock block, int pitch, in StoredRows rows)
    {
        if (rows.Tile == null || _product.CrossesLines)
        {
            _product.Multiply(arguments, tileRows, vectors);
            Store(block, pitch, rows);
            return;
        }

        // The rows are of one line.
        PanelTask* task = rows.Task;
        int line = rows.First < pitch ? 0 : rows.First / pitch;
        byte* y = task->Output + ((long)line * block.LineRows + rows.First - line * pitch) * _outputStride;
        CompleteRows complete = new(rows.Tile, rows.End - rows.First, task->Channels, &task->Epilogue, y, _outputStride);
        _product.MultiplyAndStore(arguments, tileRows, vectors, complete);
    }

    /// <summary>Stores the rows that are positions of the output, without those between the lines.</summary>
    [MethodImpl(MethodCompilation.Loops)]
    private void Store(in RowBlock block, int pitch, in StoredRows rows)
    {
        int* tile = rows.Tile;
        int row = rows.First;
        while (row < rows.End)
        {
            int line = row < pitch ? 0 : row / pitch;
            int column = row - line * pitch;
            int count = Math.Min(rows.End - row, block.LineRows - column);
            if (count > 0)
            {
                byte* y = rows.Task->Output + ((long)line * block.LineRows + column) * _outputStride;
                _product.Store(tile, count, rows.Task->Channels, rows.Task->Epilogue, y, _outputStride);
            }

            int next = Math.Min(rows.End, column < block.LineRows ? row + count : (line + 1) * pitch);
            tile += (next - row) * KernelTier.TileChannels;
            row = next;
        }
    }

    /// <summary>The panel that a block's rows are multiplied with, and the destination of the results.</summary>
    private struct PanelTask
    {
        /// <summary>The factors.</summary>
        public PanelEpilogue Epilogue;

        /// <summary>Initial values of the accumulators: minus the input's zero point times the sums of the weights.</summary>
        public fixed int Start[KernelTier.TileChannels];

        /// <summary>The prepared weights.</summary>
        public sbyte* Weights;

        /// <summary>The output of the block's first row.</summary>
        public byte* Output;

        /// <summary>Bytes from the start of a row to the channels of the panel's group.</summary>
        public int InputOffset;

        /// <summary>Channels of the panel, 1 to 32.</summary>
        public int Channels;
    }

    /// <summary>Rows whose accumulators are complete.</summary>
    /// <param name="task">The panel.</param>
    /// <param name="tile">Accumulators, <c>[row][channel 32]</c>.</param>
    /// <param name="first">The first row, counted in the block.</param>
    /// <param name="end">The row after the last one.</param>
    private readonly struct StoredRows(PanelTask* task, int* tile, int first, int end)
    {
        /// <summary>The panel.</summary>
        public readonly PanelTask* Task = task;

        /// <summary>Accumulators of the first row.</summary>
        public readonly int* Tile = tile;

        /// <summary>The first row.</summary>
        public readonly int First = first;

        /// <summary>The row after the last one.</summary>
        public readonly int End = end;
    }
}
