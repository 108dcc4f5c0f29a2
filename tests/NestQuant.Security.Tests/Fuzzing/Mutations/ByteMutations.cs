namespace NestQuant.Security.Tests.Fuzzing.Mutations;

/// <summary>Damage to the bytes of a file, whatever they mean.</summary>
internal static class ByteMutations
{
    /// <summary>A damaged copy of any file.</summary>
    public static byte[] Damage(byte[] good, SeededRandom random)
    {
        byte[] bad = [.. good];
        switch (random.Next(5))
        {
            case 0:
                return bad[..random.Next(bad.Length + 1)];
            case 1:
                return [.. bad, .. new byte[random.Next(1, 5000)]];
            case 2 when bad.Length > 0:
                int start = random.Next(bad.Length);
                random.Fill(bad.AsSpan(start, random.Next(bad.Length - start + 1)));
                return bad;
            default:
                for (int flips = bad.Length == 0 ? 0 : random.Next(1, 9); flips > 0; flips--)
                    bad[random.Next(bad.Length)] ^= (byte)(1 << random.Next(8));
                return bad;
        }
    }

    /// <summary>A damaged copy of a protobuf message: as any file, or with one length that is not that of its field.</summary>
    public static byte[] DamageMessage(byte[] good, SeededRandom random)
    {
        List<LengthField> lengths = random.OneIn(2) ? LengthField.In(good) : [];
        if (lengths.Count == 0) return Damage(good, random);
        LengthField field = random.Pick(lengths);
        byte[] length = LengthField.Encode(OtherLength(field.Value, random));
        return [.. good[..field.Position], .. length, .. good[(field.Position + field.Size)..]];
    }

    private static ulong OtherLength(ulong length, SeededRandom random) => random.Next(6) switch
    {
        0 => 0,
        1 => length + 1,
        2 => length > 0 ? length - 1 : 1,
        3 => int.MaxValue,
        4 => uint.MaxValue,
        _ => ulong.MaxValue,
    };
}
