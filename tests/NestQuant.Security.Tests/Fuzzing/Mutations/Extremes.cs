namespace NestQuant.Security.Tests.Fuzzing.Mutations;

/// <summary>Values at the borders of what a field can hold, and texts that are not what a name or a path should be.</summary>
internal static class Extremes
{
    private static readonly long[] s_integers =
    [
        0, 1, -1, 2, -2, 3, 7, 8, 17, 64, 127, 128, 255, 256, 1000, 4095, 65536, 1 << 24, int.MaxValue, int.MinValue,
        1L << 31, 1L << 32, (1L << 32) + 1, 1L << 40, 1L << 61, 1L << 62, long.MaxValue - 7, long.MaxValue, long.MinValue,
    ];

    private static readonly float[] s_floats =
    [
        0, -0f, 1, -1, 0.5f, 1e-38f, 3.4e38f, 1e-20f, 1e20f, float.Epsilon, float.MaxValue, float.MinValue, float.NaN,
        float.PositiveInfinity, float.NegativeInfinity,
    ];

    private static readonly int[] s_counts = [0, 1, 2, 3, 4, 5, 6, 8, 9, 100, 20_000];

    private static readonly string[] s_texts =
    [
        "", " ", "x", "y", "W", "\u001b[31mred\u001b[0m", "two\nlines", "tab\tnul\0", "\u202Ereversed", "\"quoted\" \\ {0}",
        "../../escaped", "/etc/passwd", "VALID", "SAME_UPPER", "NOTSET", "nest_bits", "<script>alert(1)</script>", new('n', 70_000),
        "\U0001F600", "a\ud800b",
    ];

    private static readonly string[] s_paths =
    [
        "", ".", "..", "w.bin", "m.onnx", "./m.onnx", "o.high.bin", "../m.onnx", "../../../../../../etc/passwd", "/etc/passwd",
        "/dev/zero", "/dev/stdin", "missing.bin", "w.bin/", "sub/w.bin", "w.bin\0", "W.BIN", "C:\\w.bin", "file:///etc/passwd",
        "*ORT_MEM_ADDR*", new('p', 5000),
    ];

    private static readonly string[] s_numbers =
    [
        "", "0", "1", "-1", "4096", "4095", "1e3", "0x10", " 8 ", "18446744073709551615", "9223372036854775807", "-9223372036854775808",
        "999999999999999999999", "NaN",
    ];

    private static readonly string[] s_json =
    [
        "", "null", "true", "0", "{}", "[]", "[[]]", "{\"", "[{}]", "[null]", "{\"a\":1e999}", "\"\ud800\"",
        "[{\"node\":5,\"rewritten\":\"x\"}]", new('[', 5000), new('7', 100_000), "\u001b[2J",
    ];

    public static long Integer(SeededRandom random) => random.OneIn(4) ? random.Next(-16, 17) : random.Pick(s_integers);

    public static float Float(SeededRandom random) => random.Pick(s_floats);

    public static string Text(SeededRandom random) => random.Pick(s_texts);

    /// <summary>A location of external data.</summary>
    public static string Path(SeededRandom random) => random.Pick(s_paths);

    /// <summary>A number as external data writes it.</summary>
    public static string Number(SeededRandom random) => random.Pick(s_numbers);

    public static string Json(SeededRandom random) => random.Pick(s_json);

    /// <summary>How many elements a list gets.</summary>
    public static int Count(SeededRandom random) => random.Pick(s_counts);

    public static byte[] Bytes(SeededRandom random)
    {
        var bytes = new byte[Count(random)];
        random.Fill(bytes);
        return bytes;
    }
}
