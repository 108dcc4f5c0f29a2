namespace NestQuant.Passes.Tests.Integer.Sweep;

/// <summary>ConvTranspose, and DepthToSpace in both modes.</summary>
internal static class TransposedCases
{
    private static readonly string[] Kernels =
    [
        "strides=2,2](a, @8 6 2 2", "strides=2,2 pads=1,1,1,1](a, @8 6 4 4", "strides=2,2 pads=1,1,1,1 output_padding=1,1](a, @8 6 3 3",
        "strides=2,2](a, @8 6 3 2", "strides=3,3](a, @8 6 3 3", "strides=2,2 pads=2,2,1,2](a, @8 4 5 5", "strides=1,1](a, @8 6 3 3",
        "auto_pad=VALID strides=4,4](a, @8 3 4 4", "strides=2,2 auto_pad=SAME_UPPER](a, @8 6 3 3", "strides=2,2 group=2](a, @8 3 2 2",
        "strides=2,2 dilations=2,2](a, @8 6 3 3", "strides=2,1](a, @8 6 2 2", "strides=2,2 output_shape=11,15](a, @8 6 3 3",
        "strides=3,3](a, @8 6 2 2",
    ];

    public static IEnumerable<OperatorCase> All
    {
        get
        {
            foreach (string kernel in Kernels)
            {
                yield return new($"z = ConvTranspose[{kernel})");
                yield return new($"t = ConvTranspose[{kernel}); z = Relu(t)");
            }

            yield return new("z = ConvTranspose[strides=2,2](a, @8 6 2 2, @6)") { Opset = 11 };
            yield return new("z = ConvTranspose[strides=2,](a, @8 6 2)") { Shape = [2, 3, 11] };
            foreach (string mode in (string[])["DCR", "CRD"]) yield return new($"z = DepthToSpace[blocksize=2 mode={mode}](a)");
        }
    }
}
