namespace NestQuant.Passes.OperatorSets;

/// <summary>
/// The versions of ONNX's operator set that changed an operator so that a node of the version before has another meaning, or none, from
/// then on. All other versions only add element types, attributes whose default is the old behaviour, or optional inputs.
/// </summary>
/// <remarks>
/// ONNX Runtime is the authority: a test asks it for the versions of every operator, and runs a node of each as it is and upgraded.
/// </remarks>
internal static class OperatorSetChanges
{
    /// <summary>Oldest version that is upgraded: ONNX Runtime runs no older ones.</summary>
    public const int Oldest = 7;

    /// <summary>
    /// Newest version that models are upgraded to. The next one gives AveragePool dilations, and ONNX Runtime 1.31 runs it with another
    /// kernel, whose results differ in the last bits and take 4 to 18 times as long. The passes need nothing of later ones.
    /// </summary>
    public const int Newest = 18;

    private static readonly UpgradeRule AxesBecomeInput = new AttributesToInputs(("axes", 1)), FlatProduct = new FlattenedSoftmax();

    /// <summary>The changes: operator, version, and how a node of the version before is written in it.</summary>
    public static IReadOnlyList<(string Operator, int Version, UpgradeRule Rule)> All { get; } =
    [
        ("BatchNormalization", 9, new SpatialNormalization()),
        ("MeanVarianceNormalization", 9, new Refused(static _ => "it has other attributes from operator set 9 on")),
        ("Scan", 9, new Refused(static _ => "it has other inputs and attributes from operator set 9 on")),
        ("Upsample", 9, new AttributesToInputs(("scales", 1))),

        ("Dropout", 10, new DropoutMask()),
        ("Slice", 10, new AttributesToInputs(("starts", 1), ("ends", 2), ("axes", 3))),
        ("TopK", 10, new AttributesToInputs(("k", 1))),
        ("Upsample", 10, new UpsampleToResize()),

        ("Clip", 11, new AttributesToInputs(("min", 1), ("max", 2))),
        ("Pad", 11, new AttributesToInputs(("pads", 1), ("value", 2))),
        ("Resize", 11, new AsymmetricResize()),
        ("Scatter", 11, new Renamed("ScatterElements")),

        ("Dropout", 12, new DropoutMask(("ratio", 1))),

        ("Hardmax", 13, FlatProduct),
        ("LogSoftmax", 13, FlatProduct),
        ("ReduceSum", 13, AxesBecomeInput),
        ("Resize", 13, new Refused(static node => node.GetString("coordinate_transformation_mode", "") == "tf_half_pixel_for_nn"
            ? "its coordinates 'tf_half_pixel_for_nn' end with operator set 13"
            : null)),
        ("Softmax", 13, FlatProduct),
        ("Split", 13, new AttributesToInputs(("split", 1))),
        ("Squeeze", 13, AxesBecomeInput),
        ("Unsqueeze", 13, AxesBecomeInput),

        ("BatchNormalization", 14, new Refused(static node => node.Output.Count > 1
            ? "it is in training mode, which has other outputs from operator set 14 on"
            : null)),

        ("RoiAlign", 16, new AttributeDefault("coordinate_transformation_mode", "output_half_pixel")),

        ("ReduceL1", 18, AxesBecomeInput),
        ("ReduceL2", 18, AxesBecomeInput),
        ("ReduceLogSum", 18, AxesBecomeInput),
        ("ReduceLogSumExp", 18, AxesBecomeInput),
        ("ReduceMax", 18, AxesBecomeInput),
        ("ReduceMean", 18, AxesBecomeInput),
        ("ReduceMin", 18, AxesBecomeInput),
        ("ReduceProd", 18, AxesBecomeInput),
        ("ReduceSumSquare", 18, AxesBecomeInput),
        ("Split", 18, new SplitCount()),
    ];
}
