namespace NestQuant.RuntimeOps.Kernels.Tiers;

/// <summary>What decides whether Winograd's algorithm is faster for a 3x3 convolution of stride 1.</summary>
/// <param name="InputChannels">Input channels.</param>
/// <param name="OutputChannels">Output channels.</param>
/// <param name="Positions">Output positions of all images.</param>
/// <param name="Tiles">Tiles of 4x4 output positions, those that reach beyond the output included.</param>
/// <param name="Threads">Threads of the session.</param>
internal readonly record struct WinogradShape(int InputChannels, int OutputChannels, long Positions, long Tiles, int Threads);
