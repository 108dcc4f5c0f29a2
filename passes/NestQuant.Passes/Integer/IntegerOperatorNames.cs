namespace NestQuant.Passes.Integer;

internal static class IntegerOperatorNames
{
    public const string NestedQLinearConv = "NestedQLinearConv";
    public const string NestedQLinearGemm = "NestedQLinearGemm";
    public const string QLinearLookup = "QLinearLookup";
    public const string ClampMin = "clamp_min";
    public const string ClampMax = "clamp_max";
}
