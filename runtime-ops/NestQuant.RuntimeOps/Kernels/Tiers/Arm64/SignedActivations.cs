using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace NestQuant.RuntimeOps.Kernels.Tiers.Arm64;

/// <summary>Activations as signed bytes: x - 128.</summary>
internal static unsafe class SignedActivations
{
    /// <summary>Reads sixteen: those of four groups of 4 rows of k.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<sbyte> Sixteen(byte* x) => (Vector128.Load(x) ^ Vector128.Create((byte)0x80)).AsSByte();

    /// <summary>Reads four and repeats them four times: those of one group, against four channels' weights.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<sbyte> Four(byte* x) => (Vector128.Create(*(int*)x).AsByte() ^ Vector128.Create((byte)0x80)).AsSByte();
}
