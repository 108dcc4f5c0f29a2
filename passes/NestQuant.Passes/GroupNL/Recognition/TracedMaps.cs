namespace NestQuant.Passes.GroupNL.Recognition;

/// <summary>
/// A value inside a GroupNL block: the seed maps [N, C, H, W] in some order and at some stage, or the same with the channel axis split in
/// two, as in a channel shuffle.
/// </summary>
/// <param name="Maps">Origin of every map, in memory order.</param>
/// <param name="Grouping">Sizes of the one or two channel axes; their product is the number of maps.</param>
/// <param name="Batch">Size of the batch axis, as the last Reshape wrote it.</param>
/// <param name="Height">Size of the axis after the channels, likewise.</param>
/// <param name="Width">Size of the last axis, likewise.</param>
internal sealed record TracedMaps(MapOrigin[] Maps, int[] Grouping, Extent Batch, Extent Height, Extent Width)
{
    /// <summary>Axes of the batch, the height and the width of the seed maps.</summary>
    public const int BatchAxis = 0, ChannelAxis = 1, HeightAxis = 2, WidthAxis = 3;

    /// <summary>Most maps that are followed, far above any real model, to bound the cost of a hostile one.</summary>
    public const int MaxMaps = 1 << 16;

    /// <summary>Number of axes of maps that are not grouped.</summary>
    public const int Rank = 4;

    /// <summary>Whether the value has one channel axis.</summary>
    public bool IsPlain => Grouping.Length == 1;

    /// <summary>The shape: batch, channel axes, height, width.</summary>
    public Extent[] Shape => [Batch, .. Grouping.Select(static size => (Extent)(long)size), Height, Width];

    /// <summary>Maps with the batch, height and width of the seeds.</summary>
    public static TracedMaps Plain(MapOrigin[] maps) =>
        new(maps, [maps.Length], Extent.Of(BatchAxis), Extent.Of(HeightAxis), Extent.Of(WidthAxis));

    /// <summary>All seed maps, normalised, in order.</summary>
    public static TracedMaps Seeds(int count) => Plain([.. Enumerable.Range(0, count).Select(static seed => new MapOrigin(seed))]);
}
