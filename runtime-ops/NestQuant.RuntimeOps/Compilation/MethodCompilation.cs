using System.Runtime.CompilerServices;

namespace NestQuant.RuntimeOps.Compilation;

/// <summary>How the runtime compiles methods.</summary>
internal static class MethodCompilation
{
    /// <summary>For methods that spend their time in loops, so that not even their first call runs code that is not optimised.</summary>
    /// <remarks>
    /// Code that ReadyToRun compiled ahead of time is optimised; it leaves out methods of <c>AggressiveOptimization</c>, which are then
    /// compiled at their first call. Methods that are generic in the width of vectors have that even so: ReadyToRun has no 512 bits, and
    /// they would start without optimisation where a processor has them.
    /// </remarks>
    public const MethodImplOptions Loops =
#if READY_TO_RUN
        default;
#else
        MethodImplOptions.AggressiveOptimization;
#endif
}
