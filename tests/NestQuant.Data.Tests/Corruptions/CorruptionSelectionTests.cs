using NestQuant.Data.Corruptions;

namespace NestQuant.Data.Tests.Corruptions;

public sealed class CorruptionSelectionTests
{
    [Theory]
    [InlineData("contrast", "contrast", "1,2,3,4,5")]
    [InlineData("contrast:3", "contrast", "3")]
    [InlineData("fog,gaussian_noise:2-4", "fog,gaussian_noise", "2,3,4")]
    [InlineData("snow:5-5", "snow", "5")]
    public void A_selection_is_names_and_severities(string text, string names, string severities)
    {
        CorruptionSelection selection = CorruptionSelection.Parse(text);
        Assert.Equal(names, string.Join(',', selection.Corruptions.Select(corruption => corruption.Name)));
        Assert.Equal(severities, string.Join(',', selection.Severities));
    }

    [Fact]
    public void All_is_every_corruption() => Assert.Equal(CorruptionCatalog.All, CorruptionSelection.Parse("all:1").Corruptions);

    [Theory]
    [InlineData("", "gaussian_noise, shot_noise")]
    [InlineData("blur", "'blur' is not a corruption")]
    [InlineData("Contrast", "jpeg_compression or all")]
    [InlineData("contrast,", "'' is not a corruption")]
    [InlineData("fog,all", "'all' is not a corruption")]
    [InlineData("fog,fog", "twice")]
    [InlineData("fog:", "severities are ''")]
    [InlineData("fog:0", "severities are '0'")]
    [InlineData("fog:6", "1 to 5")]
    [InlineData("fog:4-2", "4-2")]
    [InlineData("fog:1-2-3", "1-2-3")]
    [InlineData("fog:-2", "-2")]
    [InlineData("fog:1,snow:2", "come last")]
    public void Anything_else_is_refused(string text, string message)
    {
        FormatException error = Assert.Throws<FormatException>(() => CorruptionSelection.Parse(text));
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }
}
