using CsCheck;
using NestQuant.Onnx;
using NestQuant.TestSupport;

namespace NestQuant.Data.Tests;

/// <summary>
/// Pictures that say one thing and hold another: none may cost more than a picture of its size, or be read as something else.
/// </summary>
public sealed class HostilePictureTests : IDisposable
{
    private const byte Baseline = 0xC0, Progressive = 0xC2;

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Data_beyond_the_pixels_is_not_inflated()
    {
        byte[] liar = TestPng.Zeros(8, 8, depth: 8, colour: 2, interlace: 0, length: 64 << 20);
        long before = GC.GetAllocatedBytesForCurrentThread();
        Refused(liar, "more data than its pixels take");
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 4 << 20);
    }

    /// <summary>
    /// The check agrees with the decoder: every form decodes with exactly the bytes that its header implies, and with no others.
    /// </summary>
    [Fact]
    public void Every_form_of_png_takes_exactly_the_bytes_of_its_pixels() =>
        Gen.Select(Gen.Int[1, 19], Gen.Int[1, 19], Gen.Int[0, 14], Gen.Byte[0, 1], Gen.Int[1, 3]).Sample(
        (width, height, form, interlace, parts) =>
        {
            (byte colour, byte depth, int channels) = Forms[form];
            long length = InflatedLength(width, height, depth * channels, interlace == 1);
            Assert.Equal(3 * 4 * 4, Read(TestPng.Zeros(width, height, depth, colour, interlace, length, parts)).Count);
            Refused(TestPng.Zeros(width, height, depth, colour, interlace, length + 1, parts), "more data than its pixels take");
            Refused(TestPng.Zeros(width, height, depth, colour, interlace, length - 1, parts), "it is truncated");
        },
        iter: 60,
        threads: 1);

    [Theory]
    [InlineData(8000, 8000, 16, 6)]
    [InlineData(1, 1 << 24, 1, 0)]
    [InlineData(1 << 24, 1, 1, 0)]
    [InlineData(-1, -1, 8, 2)]
    [InlineData(65000, 65000, 1, 0)]
    public void A_png_header_that_claims_too_much_is_refused(int width, int height, byte depth, byte colour) =>
        Refused(TestPng.Zeros(width, height, depth, colour, interlace: 0, length: 100), "too many to decode: scale the picture down");

    [Fact]
    public void Pngs_without_the_structure_of_one_are_refused()
    {
        byte[] header = TestPng.Header(8, 8, 8, 2, 0), end = TestPng.Chunk("IEND"u8, []);
        byte[] backwards = TestPng.Chunk("tEXt"u8, []);
        backwards[0] = backwards[1] = backwards[2] = 0xFF;
        backwards[3] = 0xF4;
        Refused(TestPng.File(header, backwards, end), "it is truncated");
        Refused(TestPng.File(header), "it is truncated");
        Refused(TestPng.File(header, end), "it is truncated");
        Refused(TestPng.File(end), "it does not start with a header");
        Refused(TestPng.File(header, header, end), "parts that PNG does not define");
        Refused(TestPng.File(header, TestPng.Chunk("CgBI"u8, new byte[4]), end), "parts that PNG does not define");
        Refused(TestPng.File(TestPng.Header(0, 8, 8, 2, 0), end), "it has no pixels");
        Refused(TestPng.File(TestPng.Header(8, 8, 3, 2, 0), end), "there are no 3-bit samples");
        Refused(TestPng.File(TestPng.Header(8, 8, 8, 5, 0), end), "there is no colour type 5");
        Refused(TestPng.File(TestPng.Chunk("IHDR"u8, new byte[12]), end), "its header has another length");
    }

    [Theory]
    [InlineData(Baseline, 11500, 3, 1, "too many to decode")]
    [InlineData(Progressive, 4000, 3, 1, "too many to decode")]
    [InlineData(Baseline, 0, 3, 1, "it has no pixels")]
    [InlineData(Baseline, 8, 1, 0, "it has no pixels")]
    [InlineData(Baseline, 8, 1, 2, "more scans than its pixels need")]
    [InlineData(Baseline, 8, 3, 4, "more scans than its pixels need")]
    [InlineData(Progressive, 8, 1, 101, "more scans than its pixels need")]
    [InlineData(0xC3, 8, 1, 1, "only baseline and progressive JPEG")]
    [InlineData(0xC9, 8, 1, 1, "only baseline and progressive JPEG")]
    public void Jpegs_that_cost_too_much_are_refused(byte frame, int extent, byte components, int scans, string message) =>
        Refused(Jpeg(Frame(frame, extent, components), scans), message);

    [Fact]
    public void Jpegs_without_the_structure_of_one_are_refused()
    {
        byte[] frame = Frame(Baseline, 8, 1), sound = Jpeg(frame, scans: 1);
        Refused(sound[..^2], "it is truncated");
        Refused(sound[..10], "it is truncated");
        Refused(Jpeg([.. frame, .. frame], scans: 1), "it has two frames");
        Refused(Jpeg([], scans: 1), "more scans than its pixels need");
        byte[] unsampled = [.. frame];
        unsampled[11] = 0x01;
        Refused(Jpeg(unsampled, scans: 1), "there is no sampling factor 01");
        byte[] cut = [.. frame];
        cut[9] = 3;
        Refused(Jpeg(cut, scans: 1), "its frame header has another length");
    }

    [Fact]
    public void Markers_inside_of_other_segments_are_not_counted()
    {
        // A thumbnail in an application segment has frames and scans of its own.
        byte[] thumbnail = [0xFF, 0xE1, 0, 12, 0xFF, Baseline, 0, 0, 0xFF, 0xDA, 0xFF, 0xDA, 0xFF, 0xD9];
        Refused(Jpeg([.. thumbnail, .. Frame(Baseline, 11500, 3)], scans: 1), "too many to decode");
    }

    [Fact]
    public void A_long_line_is_scaled_without_the_whole_plane()
    {
        byte[] picture = TestPng.Zeros(1, 65536, depth: 8, colour: 0, interlace: 0, length: 2 * 65536);
        var options = new DatasetOptions { Image = new ImageOptions { Height = 4, Width = 512 } };
        long before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Equal(3 * 4 * 512, Read(picture, options).Count);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 32 << 20);
    }

    private static readonly (byte Colour, byte Depth, int Channels)[] Forms =
    [
        (0, 1, 1), (0, 2, 1), (0, 4, 1), (0, 8, 1), (0, 16, 1), (2, 8, 3), (2, 16, 3), (3, 1, 1), (3, 2, 1), (3, 4, 1), (3, 8, 1),
        (4, 8, 2), (4, 16, 2), (6, 8, 4), (6, 16, 4),
    ];

    private static long InflatedLength(int width, int height, int bits, bool interlaced)
    {
        long length = 0;
        // The 8 x 8 pattern of interlacing: which pass holds a pixel.
        int[][] passes =
        [
            [1, 6, 4, 6, 2, 6, 4, 6], [7, 7, 7, 7, 7, 7, 7, 7], [5, 6, 5, 6, 5, 6, 5, 6], [7, 7, 7, 7, 7, 7, 7, 7],
            [3, 6, 4, 6, 3, 6, 4, 6], [7, 7, 7, 7, 7, 7, 7, 7], [5, 6, 5, 6, 5, 6, 5, 6], [7, 7, 7, 7, 7, 7, 7, 7]
        ];
        for (int y = 0; y < height; y++)
        {
            foreach (var line in Enumerable.Range(0, width).GroupBy(x => interlaced ? passes[y % 8][x % 8] : 0))
                length += 1 + (((line.Count() * bits) + 7) / 8);
        }

        return length;
    }

    private static byte[] Frame(byte marker, int extent, byte components) =>
    [
        0xFF, marker, 0, (byte)(8 + (3 * components)), 8, (byte)(extent >> 8), (byte)extent, (byte)(extent >> 8), (byte)extent, components,
        .. Enumerable.Range(1, components).SelectMany(component => new byte[] { (byte)component, 0x11, 0 }),
    ];

    private static byte[] Jpeg(byte[] segments, int scans) =>
    [
        0xFF, 0xD8, .. segments,
        .. Enumerable.Repeat<byte[]>([0xFF, 0xDA, 0, 8, 1, 1, 0, 0, 63, 0, 0x40, 0xFF, 0x00, 0xFF, 0xD0, 0x7F], scans)
            .SelectMany(scan => scan),
        0xFF, 0xD9,
    ];

    private NpyArray Read(byte[] picture, DatasetOptions? options = null)
    {
        _folder.Write("i/p.png", picture);
        return Dataset.Open(_folder.File("i"), options ?? new DatasetOptions { Image = new ImageOptions { Height = 4, Width = 4 } })
            .ReadBatches(1)
            .Single()
            .Inputs[0]
            .Array;
    }

    private void Refused(byte[] picture, string message)
    {
        ModelException e = Assert.Throws<ModelException>(() => Read(picture));
        Assert.Contains(message, e.Message, StringComparison.Ordinal);
        Assert.Contains("p.png: the picture cannot be decoded: ", e.Message, StringComparison.Ordinal);
    }
}
