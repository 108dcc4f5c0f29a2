namespace NestQuant.Passes.Tests.OperatorSets;

/// <summary>Upsample and Resize.</summary>
internal static class ResizeCases
{
    private static readonly string[] Modes = ["nearest", "linear"],
        Enlarging = ["1. 1. 2. 2.", "1. 1. 3. 2.", "1. 1. 1.5 2.3", "1. 1. 1. 1."];

    public static IEnumerable<UpgradeCase> All => [.. Upsamples, .. OldResizes, .. Coordinates, .. Sizes];

    private static IEnumerable<UpgradeCase> Upsamples
    {
        get
        {
            foreach (string mode in Modes)
                foreach (string scales in Enlarging)
                {
                    yield return new("Upsample", $"y = Upsample[mode={mode} scales={scales.Replace(' ', ',')}](x)", 7, 8);
                    yield return new("Upsample", $"y = Upsample[mode={mode}](x, <{scales}>)", 9, 9);
                }

            yield return new("Upsample", "y = Upsample[scales=2.,1.5](x)", 7, 8) { Shape = [5, 7] };
            yield return new("Upsample", "s = Exp(<0. 0. 0.7 0.4>); y = Upsample(x, s)", 9, 9);
            yield return new("Upsample", "s = Shape(x); f = Cast[to=1](s); d = Div(f, f); y = Upsample(x, d)", 9, 9);
        }
    }

    private static IEnumerable<UpgradeCase> OldResizes =>
    [
        .. from mode in Modes
           from scales in (string[])[.. Enlarging, "1. 1. 0.5 0.5", "1. 1. 0.7 0.6"]
           select new UpgradeCase("Resize", $"y = Resize[mode={mode}](x, <{scales}>)", 10, 10),
        new("Resize", "y = Resize[mode=linear](x, <1. 1. 0.5 2.>)", 10, 10),
        new("Resize", "s = Exp(<0. 0. 0.7 -0.7>); y = Resize[mode=linear](x, s)", 10, 10),
    ];

    private static IEnumerable<UpgradeCase> Coordinates =>
    [
        .. from mode in (string[])[.. Modes, "cubic"]
           from coordinates in (string[])["half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric"]
           from scales in (string[])["1. 1. 2. 2.", "1. 1. 1.5 2.3", "1. 1. 0.5 0.7"]
           select new UpgradeCase(
               "Resize", $"y = Resize[mode={mode} coordinate_transformation_mode={coordinates}](x, <>, <{scales}>)", 11),
        .. from rounding in (string[])["round_prefer_floor", "round_prefer_ceil", "floor", "ceil"]
           from scales in (string[])["1. 1. 2. 3.", "1. 1. 0.5 0.7"]
           select new UpgradeCase("Resize", $"y = Resize[nearest_mode={rounding}](x, <>, <{scales}>)", 11),
        new("Resize", "y = Resize[mode=cubic cubic_coeff_a=-0.5 exclude_outside=1](x, <>, <1. 1. 2. 2.>)", 11),
        .. from mode in Modes
           select new UpgradeCase(
               "Resize",
               $"y = Resize[mode={mode} coordinate_transformation_mode=tf_crop_and_resize extrapolation_value=2.](x, "
                   + "<0. 0. 0.2 -0.1 1. 1. 0.8 1.2>, <1. 1. 2. 2.>)",
               11),
    ];

    private static IEnumerable<UpgradeCase> Sizes =>
    [
        .. from mode in Modes
           from sizes in (string[])["2 3 9 7", "2 3 2 5", "2 3 4 6"]
           select new UpgradeCase("Resize", $"y = Resize[mode={mode}](x, <>, <>, <{sizes}>)", 11),
        new("Resize", "y = Resize(x, <>, , <2 3 9 7>)", 13),
        new("Resize", "y = Resize(x, , , <2 3 9 7>)", 13),
        new("Resize", "y = Resize(x, , <1. 1. 2. 2.>)", 13),
    ];
}
