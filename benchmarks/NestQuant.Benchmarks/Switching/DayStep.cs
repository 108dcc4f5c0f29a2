namespace NestQuant.Benchmarks.Switching;

/// <summary>What a session was like in a step of the simulated day.</summary>
/// <param name="Available">Share of the device's memory that is available, 0 to 1.</param>
/// <param name="Bits">Precision of the session.</param>
/// <param name="High">Resident high operands, MB.</param>
/// <param name="Low">Resident low operands, MB.</param>
/// <param name="First">Time of the step's first run, which follows a switch where there is one, ms.</param>
/// <param name="Median">Median time of a run, ms.</param>
internal readonly record struct DayStep(double Available, int Bits, double High, double Low, double First, double Median);
