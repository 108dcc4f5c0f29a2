namespace NestQuant.RuntimeOps.Kernels.Tiers;

/// <summary>Code with one instantiation per pair of operands' widths.</summary>
internal interface IWidthPairCode
{
    /// <summary>Runs the instantiation.</summary>
    /// <typeparam name="THigh">Width of the first operand's codes.</typeparam>
    /// <typeparam name="TLow">Width of the second one's, 0 where there is none.</typeparam>
    void Run<THigh, TLow>()
        where THigh : struct, IBitWidth
        where TLow : struct, IBitWidth;
}

/// <summary>Chooses an instantiation for the widths of two operands.</summary>
internal static class WidthPair
{
    /// <summary>Runs the code for two widths.</summary>
    /// <param name="high">2 to 7.</param>
    /// <param name="low">2 to 7, or 0.</param>
    /// <param name="code">The code and its arguments.</param>
    public static void Run<TCode>(int high, int low, TCode code)
        where TCode : struct, IWidthPairCode
    {
        switch (high)
        {
            case 2: WithHigh<TCode, Width2>(low, code); break;
            case 3: WithHigh<TCode, Width3>(low, code); break;
            case 4: WithHigh<TCode, Width4>(low, code); break;
            case 5: WithHigh<TCode, Width5>(low, code); break;
            case 6: WithHigh<TCode, Width6>(low, code); break;
            default: WithHigh<TCode, Width7>(low, code); break;
        }
    }

    private static void WithHigh<TCode, THigh>(int low, TCode code)
        where TCode : struct, IWidthPairCode
        where THigh : struct, IBitWidth
    {
        switch (low)
        {
            case 0: code.Run<THigh, Width0>(); break;
            case 2: code.Run<THigh, Width2>(); break;
            case 3: code.Run<THigh, Width3>(); break;
            case 4: code.Run<THigh, Width4>(); break;
            case 5: code.Run<THigh, Width5>(); break;
            case 6: code.Run<THigh, Width6>(); break;
            default: code.Run<THigh, Width7>(); break;
        }
    }

    private readonly struct Width0 : IBitWidth
    {
        public static int Bits => 0;
    }

    private readonly struct Width2 : IBitWidth
    {
        public static int Bits => 2;
    }

    private readonly struct Width3 : IBitWidth
    {
        public static int Bits => 3;
    }

    private readonly struct Width4 : IBitWidth
    {
        public static int Bits => 4;
    }

    private readonly struct Width5 : IBitWidth
    {
        public static int Bits => 5;
    }

    private readonly struct Width6 : IBitWidth
    {
        public static int Bits => 6;
    }

    private readonly struct Width7 : IBitWidth
    {
        public static int Bits => 7;
    }
}
