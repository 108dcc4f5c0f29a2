using NestQuant.Compiler.Calibration;

namespace NestQuant.Passes.Calibration;

/// <summary>Ranges that a pass has asked for, so that a later one of the same run need not sweep again.</summary>
/// <param name="Source">The source that was asked.</param>
/// <param name="Ranges">What it said.</param>
internal sealed record KnownRanges(IActivationRangeSource Source, ActivationRanges Ranges);
