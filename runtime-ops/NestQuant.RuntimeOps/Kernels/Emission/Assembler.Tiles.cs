using NestQuant.RuntimeOps.Kernels.Tiers.Avx2;

namespace NestQuant.RuntimeOps.Kernels.Emission;

/// <summary>The instructions of AMX.</summary>
internal sealed partial class Assembler
{
    /// <summary>ldtilecfg [source]: the shapes of all tiles from 64 bytes; clears the tiles.</summary>
    public void LoadTileConfiguration(Register source) =>
        EncodeVex(new VectorForm(OpcodePrefix.None, OpcodeMap.Map0F38), 0x49, 0, new MemoryOperand(source));

    /// <summary>tilerelease: clears the tile configuration, so that context switches need not save the tiles.</summary>
    public void ReleaseTiles() => Bytes([0xC4, 0xE2, 0x78, 0x49, 0xC0]);

    /// <summary>tileloadd target, [source]: rows whose distance is the index register.</summary>
    public void Load(Tmm target, in MemoryOperand source) => Tile(OpcodePrefix.PrefixF2, target, source);

    /// <summary>tilestored [target], source: rows whose distance is the index register.</summary>
    public void Store(in MemoryOperand target, Tmm source) => Tile(OpcodePrefix.PrefixF3, source, target);

    /// <summary>
    /// tdpbusd accumulators, unsigned, signed: adds products of unsigned bytes by signed ones, four to an accumulator, without saturation.
    /// </summary>
    public void DotProduct(Tmm accumulators, Tmm unsigned, Tmm signed) =>
        Bytes(
            [
                0xC4, 0xE2, (byte)((~signed.Number & 15) << 3 | (int)OpcodePrefix.Prefix66), 0x5E,
                ModRegisters(accumulators.Number, unsigned.Number)
            ]);

    private void Tile(OpcodePrefix prefix, Tmm tile, in MemoryOperand memory) =>
        EncodeVex(new VectorForm(prefix, OpcodeMap.Map0F38), 0x4B, tile.Number, memory);
}
