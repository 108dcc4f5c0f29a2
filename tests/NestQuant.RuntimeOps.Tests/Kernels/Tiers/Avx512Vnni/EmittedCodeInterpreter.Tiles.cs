using Iced.Intel;

namespace NestQuant.RuntimeOps.Tests.Kernels.Tiers.Avx512Vnni;

/// <summary>The instructions of AMX.</summary>
internal sealed unsafe partial class EmittedCodeInterpreter
{
    private const int TileRows = 16;
    private const int TileRowBytes = 64;

    private readonly byte[][] _tiles = [.. Enumerable.Range(0, 8).Select(_ => new byte[TileRows * TileRowBytes])];
    private readonly (int Rows, int RowBytes)[] _shapes = new (int, int)[8];

    /// <summary>Executes one instruction if it is of this kind.</summary>
    private bool TryTile(in Instruction instruction)
    {
        int target = instruction.Op0Register.GetNumber();
        switch (instruction.Code)
        {
            case Code.VEX_Ldtilecfg_m512:
                Configure(new ReadOnlySpan<byte>(Checked(Address(instruction), TileRowBytes, isWrite: false), TileRowBytes));
                return true;
            case Code.VEX_Tilerelease:
                Configure(new byte[TileRowBytes]);
                return true;
            case Code.VEX_Tileloadd_tmm_sibmem:
                _tiles[target].AsSpan().Clear();
                for (int row = 0; row < _shapes[target].Rows; row++)
                    TileRow(instruction, target, row, isWrite: false).CopyTo(_tiles[target].AsSpan(row * TileRowBytes));
                return true;
            case Code.VEX_Tilestored_sibmem_tmm:
                int source = instruction.Op1Register.GetNumber();
                for (int row = 0; row < _shapes[source].Rows; row++)
                    _tiles[source]
                        .AsSpan(row * TileRowBytes, _shapes[source].RowBytes)
                        .CopyTo(TileRow(instruction, source, row, isWrite: true));
                return true;
            case Code.VEX_Tdpbusd_tmm_tmm_tmm:
                Multiply(target, instruction.Op1Register.GetNumber(), instruction.Op2Register.GetNumber());
                return true;
            default:
                return false;
        }
    }

    private void Configure(ReadOnlySpan<byte> shapes)
    {
        for (int tile = 0; tile < _shapes.Length; tile++)
        {
            _shapes[tile] = shapes[0] == 0 ? default : (shapes[48 + tile], BitConverter.ToUInt16(shapes[(16 + 2 * tile)..]));
            Assert.True(_shapes[tile] is { Rows: <= TileRows, RowBytes: <= TileRowBytes });
            _tiles[tile].AsSpan().Clear();
        }
    }

    private Span<byte> TileRow(in Instruction instruction, int tile, int row, bool isWrite)
    {
        ulong start = _registers[instruction.MemoryBase.GetNumber()] + instruction.MemoryDisplacement64;
        ulong address = start + (ulong)row * _registers[instruction.MemoryIndex.GetNumber()] * (ulong)instruction.MemoryIndexScale;
        return new Span<byte>(Checked(address, _shapes[tile].RowBytes, isWrite), _shapes[tile].RowBytes);
    }

    private void Multiply(int sums, int unsigned, int signed)
    {
        // As the processor requires: as many rows of sums as of the left factor, and a row of the right one for every four columns of the
        // left.
        Assert.Equal(_shapes[sums].Rows, _shapes[unsigned].Rows);
        Assert.Equal(_shapes[sums].RowBytes, _shapes[signed].RowBytes);
        Assert.Equal(_shapes[unsigned].RowBytes, 4 * _shapes[signed].Rows);
        fixed (byte* target = _tiles[sums])
        {
            for (int row = 0; row < _shapes[sums].Rows; row++)
            {
                for (int column = 0; column < _shapes[sums].RowBytes / 4; column++)
                {
                    int* sum = (int*)(target + row * TileRowBytes) + column;
                    for (int k = 0; k < _shapes[unsigned].RowBytes; k++)
                        *sum += _tiles[unsigned][row * TileRowBytes + k] * (sbyte)_tiles[signed][k / 4 * TileRowBytes + column * 4 + k % 4];
                }
            }
        }
    }
}
