using NestQuant.RuntimeOps.Kernels.Emission;

namespace NestQuant.RuntimeOps.Kernels.Avx512Vnni;

/// <summary>
/// Emits the epilogue of a tile without zero points of weights: a C function, in the calling convention of System V, <c>void(EpilogueArguments*)</c>. It
/// equals <see cref="PanelEpilogue.Write"/> bit for bit.
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
    private const int FirstCentering = 20;
    private static readonly Zmm Least = new(22);
    private static readonly Zmm Greatest = new(23);
    private static readonly Zmm ZeroPoint = new(24);

    /// <summary>Emits the epilogue.</summary>
    /// <param name="isQuantized">Whether the output is uint8; else it is float.</param>
    public static byte[] Emit(bool isQuantized)
    {
        Assembler code = new();
        code.Load(Tile, Field(EpilogueArguments.TileOffset));
        code.Load(Rows, Field(EpilogueArguments.RowsOffset));
        code.Load(Output, Field(EpilogueArguments.OutputOffset));
        code.Load(OutputStride, Field(EpilogueArguments.OutputStrideOffset));
        for (int vector = 0; vector < Vectors; vector++)
        {
            code.Load(Mask(vector), Field(EpilogueArguments.ChannelsOffset + vector * sizeof(ushort)));
            LoadFactors(code, FirstScale, vector, EpilogueArguments.ScaleOffset);
            LoadFactors(code, FirstBias, vector, EpilogueArguments.BiasOffset);
            LoadFactors(code, FirstCentering, vector, EpilogueArguments.CenteringOffset);
        }

        if (isQuantized)
        {
            code.BroadcastInt32(Least, Field(EpilogueArguments.LeastOffset));
            code.BroadcastInt32(Greatest, Field(EpilogueArguments.GreatestOffset));
            code.BroadcastInt32(ZeroPoint, Field(EpilogueArguments.ZeroPointOffset));
        }

        Label row = new();
        code.Bind(row);
        for (int vector = 0; vector < Vectors; vector++)
            Write(code, vector, isQuantized);
        code.Add(Tile, RowBytes);
        code.LoadAddress(Output, new MemoryOperand(Output) { Index = OutputStride });
        code.Subtract(Rows, 1);
        code.Jump(Condition.NotZero, row);
        code.ZeroUpper();
        code.Return();
        return code.ToCode();
    }

    private static void Write(Assembler code, int vector, bool isQuantized)
    {
        Zmm result = new(vector);
        code.Load(result, new MemoryOperand(Tile, vector * VectorChannels * sizeof(int)));
        code.SubtractInt32(result, result, new Zmm(FirstCentering + vector));
        code.ConvertToSingle(result, result);
        code.MultiplySingle(result, result, new Zmm(FirstScale + vector));
        code.AddSingle(result, result, new Zmm(FirstBias + vector));
        if (!isQuantized)
        {
            code.Store(new MemoryOperand(Output, vector * VectorChannels * sizeof(float)), Mask(vector), result);
            return;
        }

        code.MaxSingle(result, result, Least);
        code.MinSingle(result, result, Greatest);
        code.ConvertToInt32(result, result);
        code.AddInt32(result, result, ZeroPoint);
        code.StoreBytes(new MemoryOperand(Output, vector * VectorChannels), Mask(vector), result);
    }

    private static MaskRegister Mask(int vector) => new(vector + 1);

    private static void LoadFactors(Assembler code, int first, int vector, int pointer)
    {
        code.Load(Factors, Field(pointer));
        code.Load(new Zmm(first + vector), new MemoryOperand(Factors, vector * VectorChannels * sizeof(float)));
    }

    private static MemoryOperand Field(int offset) => new(Arguments, offset);
}
