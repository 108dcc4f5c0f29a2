namespace NestQuant.Passes.Tests.Integer.Sweep;

/// <summary>Resize and Upsample, Pad and CenterCropPad.</summary>
internal static class ResizeCases
{
    private const string Coordinate = "coordinate_transformation_mode", Crop = Coordinate + "=tf_crop_and_resize";

    private static readonly string[] Coordinates =
    [
        "half_pixel", "half_pixel_symmetric", "pytorch_half_pixel", "asymmetric", "align_corners", "tf_half_pixel_for_nn",
    ];

    /// <summary>In dB: half of all interpolated results can be between two integers, and go to one or the other.</summary>
    private const double WithTies = 35;

    public static IEnumerable<OperatorCase> All =>
    [
        .. Resizes.Concat(ResizesOfAxes).Concat(OtherResizes).Select(static tried =>
            tried.Text.Contains("mode=linear", StringComparison.Ordinal) ? tried with { SameIntegers = WithTies } : tried),
        .. Pads,
        .. Crops,
    ];

    private static IEnumerable<OperatorCase> Resizes
    {
        get
        {
            foreach (string coordinates in Coordinates)
            {
                long opset = coordinates == "half_pixel_symmetric" ? 19 : 13;
                foreach (string rounding in (string[])["round_prefer_floor", "round_prefer_ceil", "floor", "ceil"])
                {
                    string operands = rounding.EndsWith("floor", StringComparison.Ordinal) ? "a, , <1. 1. 2. 3.>" : "a, , , <1 8 7 4>";
                    yield return new($"z = Resize[{Coordinate}={coordinates} nearest_mode={rounding}]({operands})") { Opset = opset };
                }

                foreach (string mode in (string[])["linear", "cubic"])
                    foreach (string operands in (string[])["a, , <1. 1. 2. 1.5>", "a, , , <1 8 4 14>"])
                        yield return new($"z = Resize[{Coordinate}={coordinates} mode={mode}]({operands})") { Opset = opset };
            }
        }
    }

    private static IEnumerable<OperatorCase> ResizesOfAxes
    {
        get
        {
            foreach (string mode in (string[])["nearest", "linear", "cubic"])
                foreach (string axes in (string[])["2,3", "-1,-2", "3,", "1,2"])
                {
                    bool isOne = axes == "3,";
                    foreach (string operands in isOne ? (string[])["a, , <2.>", "a, , , <10>"] : ["a, , <2. 1.5>", "a, , , <10 4>"])
                    {
                        yield return new($"z = Resize[axes={axes} mode={mode}]({operands})") { Opset = 18 };
                        if (mode == "nearest")
                            yield return new(
                                $"z = Resize[axes={axes} {Coordinate}=asymmetric mode={mode} nearest_mode=floor]({operands})")
                            { Opset = 19 };
                    }
                }

            foreach (string policy in (string[])["stretch", "not_larger", "not_smaller"])
                foreach (string mode in (string[])["nearest", "linear"])
                {
                    yield return new($"z = Resize[axes=2,3 keep_aspect_ratio_policy={policy} mode={mode}](a, , , <10 10>)") { Opset = 18 };
                    yield return new($"z = Resize[axes=3,2 keep_aspect_ratio_policy={policy} mode={mode}](a, , , <6 11>)") { Opset = 18 };
                    yield return new($"z = Resize[keep_aspect_ratio_policy={policy} mode={mode}](a, , , <1 8 10 10>)") { Opset = 18 };
                }

            yield return new("z = Resize[axes=2, mode=nearest](a, , <2.>)") { Opset = 18, Shape = [2, 3, 11] };
            yield return new("z = Resize[mode=nearest](a, , <1. 1. 2.>)") { Opset = 18, Shape = [2, 3, 11] };
        }
    }

    private static IEnumerable<OperatorCase> OtherResizes
    {
        get
        {
            foreach (string mode in (string[])["nearest", "linear"])
            {
                foreach (string value in (string[])["", " extrapolation_value=1.5"])
                    yield return new(
                        $"z = Resize[{Crop} mode={mode}{value}](a, <0. 0. 0.1 -0.2 1. 1. 0.9 1.3>, , <1 8 6 6>)")
                    { Opset = 13 };
                yield return new(
                    $"z = Resize[axes=2,3 {Crop} mode={mode}](a, <0.1 -0.2 0.9 1.3>, , <6 6>)")
                { Opset = 18 };
                yield return new(
                    $"z = Resize[axes=2,3 {Coordinate}=half_pixel mode={mode}](a, <0.1 0.2 0.9 0.8>, , <6 6>)")
                { Opset = 18 };
                yield return new($"z = Resize[mode={mode}](a, <>, <1. 1. 2. 2.>)") { Opset = 11 };
                yield return new($"z = Resize[mode={mode}](a, <>, <>, <1 8 10 14>)") { Opset = 11 };
                yield return new($"z = Resize[mode={mode}](a, <>, <1. 0.5 1. 1.>)") { Opset = 13 };
                if (mode != "nearest") yield return new($"z = Resize[mode={mode} antialias=1](a, , <1. 1. 0.5 0.6>)") { Opset = 18 };
                yield return new(
                    $"r = Relu(a); z = Resize[mode={mode} {Coordinate}=align_corners](r, , <1. 1. 2. 2.>)")
                { Opset = 13 };
                yield return new(
                    $"r = Relu(a); z = Resize[axes=2,3 mode={mode} {Crop} extrapolation_value=-1.0](r, <0. -0.2 1. 1.2>, , <5 9>)")
                { Opset = 18 };
            }

            yield return new("z = Resize[mode=cubic cubic_coeff_a=-0.5 exclude_outside=1](a, , <1. 1. 2. 2.>)");
            yield return new("s = Shape(a); z = Resize[mode=nearest](a, , , s)");
            yield return new("z = Resize[mode=linear](a, , <1. 2. 1.5 1.>)");
            yield return new("z = Resize[mode=linear](a, , <1. 2. 1. 1.>)");
        }
    }

    private static IEnumerable<OperatorCase> Pads
    {
        get
        {
            foreach (string mode in (string[])["constant", "reflect", "edge", "wrap"])
            {
                long opset = mode == "wrap" ? 19 : 13;
                foreach (string widths in (string[])["<0 0 1 2 0 0 0 1>", "<0 0 -1 1 0 0 2 -1>", "<0 1 0 0 0 2 1 1>", "<0 0 0 0 0 0 0 0>"])
                    yield return new($"z = Pad[mode={mode}](a, {widths})") { Opset = opset };
                foreach (string axes in (string[])["<2 3>", "<3 2>", "<-1 -2>", "<1 3>"])
                    foreach (string widths in (string[])["<1 2 0 1>", "<1 -1 2 0>"])
                        yield return new($"z = Pad[mode={mode}](a, {widths}, , {axes})") { Opset = Math.Max(opset, 18) };
                yield return new($"z = Pad[mode={mode}](a, <2 1>, , <-1>)") { Opset = Math.Max(opset, 18) };
                yield return new($"z = Pad[mode={mode}](a, <2 1>, , <2>)") { Opset = Math.Max(opset, 18), Shape = [2, 3, 11] };
                yield return new($"z = Pad[mode={mode}](a, <0 0 2 0 0 1>)") { Opset = Math.Max(opset, 13), Shape = [2, 3, 11] };
            }

            foreach (string value in (string[])["<0.f>", "<1.5f>", "<-2.f>", "<50.f>"])
            {
                yield return new($"z = Pad(a, <0 0 1 2 0 0 0 1>, {value})") { Opset = 11 };
                yield return new($"z = Pad(a, <0 0 1 2 0 0 0 1>, {value})") { Opset = 13 };
                yield return new($"z = Pad(a, <1 2 0 1>, {value}, <3 2>)") { Opset = 18 };
            }

            yield return new("r = Relu(a); z = Pad(r, <1 2 0 1>, <-1.f>, <2 3>)") { Opset = 18 };
            yield return new("z = Pad(a, <1 2 0 1>, , <2 3>)") { Opset = 21 };
            // The rank of what is padded or resized is known behind these operators, or it is not.
            foreach (string op in (string[])
            [
                "Max(a, b)", "Tile(a, <1 1 2 1>)", "Expand(a, <3 1 1 1>)", "Identity(a)", "Softmax(a)",
                "CenterCropPad[axes=2,3](a, <4 9>)",
            ])
            {
                yield return new($"p = {op}; z = Pad(p, <1 2 0 1>, , <2 3>)") { Opset = 18 };
                yield return new($"p = {op}; z = Resize[axes=2,3 mode=nearest](p, , <2. 2.>)") { Opset = 18 };
                yield return new($"p = {op}; z = Resize[axes=2,3 mode=nearest](p, , , <6 5>)") { Opset = 18 };
            }
        }
    }

    private static IEnumerable<OperatorCase> Crops
    {
        get
        {
            foreach (string attributes in (string[])["axes=2,3", "axes=3,2", "axes=-1,-2"])
                yield return new($"z = CenterCropPad[{attributes}](a, <4 9>)") { Opset = 18 };
            yield return new("z = CenterCropPad[axes=3,](a, <4>)") { Opset = 18 };
            yield return new("z = CenterCropPad(a, <1 8 7 4>)") { Opset = 18 };
        }
    }
}
