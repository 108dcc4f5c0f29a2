using NestQuant.RuntimeOps.Kernels.Emission;

namespace NestQuant.RuntimeOps.Kernels.Avx512Vnni;

/// <summary>
/// Emits the epilogue of a tile whose sums are complete: a C function, in the calling convention of System V, <c>void(EpilogueArguments*)</c>. It equals
/// <see cref="PanelEpilogue.Write"/> bit for bit.
/// </summary>
internal static class EpilogueEmitter
{
    private const int Vectors = DotProductEmitter.MaxVectors;
    private const int VectorChannels = DotProductEmitter.VectorChannels;
    private const int RowBytes = KernelTier.TileChannels * sizeof(int);

    private const Register Arguments = Register.Rdi;
    private const Register Tile = Register.Rsi;
    private const Register Rows = Register.Rdx;
    private const Register Factors = Register.Rcx;
    private const Register Output = Register.R8;
    private const Register OutputStride = Register.R9;

    // Zmm0 and 1 hold the results of a row's halves.
    private const int FirstScale = 16;
    private const int FirstBias = 18;
    private static readonly Zmm Greatest = new(20);
    private static readonly Zmm ZeroPoint = new(21);
    private static readonly Zmm Least = new(22);
    private static readonly Zmm Order = new(23);

    /// <summary>Emits the epilogue.</summary>
    /// <param name="isQuantized">Whether the output is uint8; else it is float.</param>
    public static byte[] Emit(bool isQuantized)
    {
        Assembler code = new();
        code.Load(Tile, Field(EpilogueArguments.TileAt));
        code.Load(Rows, Field(EpilogueArguments.RowsAt));
        code.Load(Output, Field(EpilogueArguments.OutputAt));
        code.Load(OutputStride, Field(EpilogueArguments.OutputStrideAt));
        LoadFactors(code, FirstScale, EpilogueArguments.ScaleAt);
        LoadFactors(code, FirstBias, EpilogueArguments.BiasAt);
        if (isQuantized)
        {
            code.Load32(Mask(0), Field(EpilogueArguments.ChannelsAt));
            code.BroadcastInt32(Greatest, Field(EpilogueArguments.GreatestAt));
            code.BroadcastInt32(ZeroPoint, Field(EpilogueArguments.ZeroPointAt));
            code.BroadcastInt32(Least, Field(EpilogueArguments.LeastAt));
            code.LoadConstant(Order, PackedOrder());
        }
        else
        {
            for (int vector = 0; vector < Vectors; vector++)
                code.Load16(Mask(vector), Field(EpilogueArguments.ChannelsAt + vector * sizeof(ushort)));
        }

        Label row = new();
        code.Bind(row);
        for (int vector = 0; vector < Vectors; vector++)
            Scale(code, vector);
        if (isQuantized)
            StoreQuantized(code);
        else
            StoreFloats(code);
        code.Add(Tile, RowBytes);
        code.LoadAddress(Output, new MemoryOperand(Output) { Index = OutputStride });
        code.Subtract(Rows, 1);
        code.Jump(Condition.NotZero, row);
        code.ZeroUpper();
        code.Return();
        return code.ToCode();
    }

    private static void Scale(Assembler code, int vector)
    {
        Zmm result = new(vector);
        code.Load(result, new MemoryOperand(Tile, vector * VectorChannels * sizeof(int)));
        code.ConvertToSingle(result, result);
        code.MultiplySingle(result, result, new Zmm(FirstScale + vector));
        code.AddSingle(result, result, new Zmm(FirstBias + vector));
    }

    private static void StoreFloats(Assembler code)
    {
        for (int vector = 0; vector < Vectors; vector++)
            code.Store(new MemoryOperand(Output, vector * VectorChannels * sizeof(float)), Mask(vector), new Zmm(vector));
    }

    /// <summary>
    /// Only the upper bound is needed before the conversion, which gives the least integer for what is below its range: saturation while packing and
    /// the maximum at the end give the lower bound.
    /// </summary>
    private static void StoreQuantized(Assembler code)
    {
        Zmm packed = new(0);
        for (int vector = 0; vector < Vectors; vector++)
        {
            Zmm result = new(vector);
            code.MinSingle(result, result, Greatest);
            code.ConvertToInt32(result, result);
        }

        code.PackInt32(packed, packed, new Zmm(1));
        code.AddInt16(packed, packed, ZeroPoint);
        code.PackInt16(packed, packed, packed);
        code.PermuteInt32(packed, Order, packed);
        code.MaxUInt8(packed, packed, Least);
        code.StoreHalf(new MemoryOperand(Output), Mask(0), packed);
    }

    /// <summary>Packing works within 128 bits, so that each has four channels of either half, twice: where the fours of all channels are, in order.</summary>
    private static byte[] PackedOrder()
    {
        int[] order = new int[16];
        for (int i = 0; i < 8; i++)
            order[i] = i % 4 * 4 + i / 4;
        return [.. order.SelectMany(BitConverter.GetBytes)];
    }

    private static void LoadFactors(Assembler code, int first, int pointer)
    {
        code.Load(Factors, Field(pointer));
        for (int vector = 0; vector < Vectors; vector++)
            code.Load(new Zmm(first + vector), new MemoryOperand(Factors, vector * VectorChannels * sizeof(float)));
    }

    private static MaskRegister Mask(int vector) => new(vector + 1);

    private static MemoryOperand Field(int offset) => new(Arguments, offset);
}
