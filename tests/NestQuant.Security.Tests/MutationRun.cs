using NestQuant.Compiler.Cli;

namespace NestQuant.Security.Tests;

/// <summary>Feeds damaged copies of one file of a compiled model to the tool.</summary>
internal static class MutationRun
{
    /// <summary>Runs every command on every damaged copy.</summary>
    /// <returns>0 when each command ended as done or as bad input; 1 otherwise, with the line of the command on stderr.</returns>
    public static int Execute(string folder, string file, int seed, int count)
    {
        string path = Path.Combine(folder, file);
        string model = Path.Combine(folder, "cnn.onnx");
        byte[] good = File.ReadAllBytes(path);
        var random = new Random(seed);
        for (int i = 0; i < count; i++)
        {
            File.WriteAllBytes(path, Mutate(good, random));
            string[][] commands =
            [
                ["inspect", model, "--unpack", Path.Combine(folder, "unpacked")],
                ["run", model, "--input", Path.Combine(folder, "x.npy"), "-o", Path.Combine(folder, "out")],
                ["run", model, "--input", Path.Combine(folder, "x.npy"), "--bits", "6", "-o", Path.Combine(folder, "out")],
                ["print", model],
                ["verify", model],
            ];
            foreach (string[] command in commands)
            {
                using var error = new StringWriter { NewLine = "\n" };
                int code = CliApplication.Run(command, new CliConsole(TextWriter.Null, error));
                if (code is 0 or 1)
                    continue;
                Console.Error.WriteLine($"{file}, seed {seed}, mutation {i}, {command[0]}: exit code {code}: {error}");
                return 1;
            }
        }

        File.WriteAllBytes(path, good);
        return 0;
    }

    private static byte[] Mutate(byte[] good, Random random)
    {
        byte[] bad = [.. good];
        switch (random.Next(4))
        {
            case 0:
                return bad[..random.Next(bad.Length)];
            case 1:
                return [.. bad, .. new byte[random.Next(1, 5000)]];
            case 2:
                random.NextBytes(bad.AsSpan(random.Next(bad.Length)));
                return bad;
            default:
                for (int flips = random.Next(1, 9); flips > 0; flips--)
                    bad[random.Next(bad.Length)] ^= (byte)(1 << random.Next(8));
                return bad;
        }
    }
}
