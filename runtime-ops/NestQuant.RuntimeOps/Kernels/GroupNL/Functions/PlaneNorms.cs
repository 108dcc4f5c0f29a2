using System.Runtime.CompilerServices;

namespace NestQuant.RuntimeOps.Kernels.GroupNL.Functions;

/// <summary>The norms over the seed maps of neighbouring pixels of one NCHW image.</summary>
internal static unsafe class PlaneNorms<TLanes, TVector>
    where TLanes : struct, ILanes<TVector>
    where TVector : struct
{
    // Maps that are added at a time: this many streams, and the load and store of the sums, keep both load ports of a core busy.
    private const int MapsAtOnce = 4;

    /// <summary>Writes the inverse norm of every pixel. Squares are added map after map, which gives the same bits for every
    /// width.</summary>
    /// <param name="data">Number of seeds and least norm.</param>
    /// <param name="x">Pixels of the first seed map.</param>
    /// <param name="planeStride">Floats from one map to the next.</param>
    /// <param name="pixels">1 to <see cref="ExpansionData.MaxPlanePixels"/>.</param>
    /// <param name="inverseNorms">Room for <see cref="ExpansionData.MaxPlanePixels"/> floats.</param>
    [MethodImpl(MethodCompilation.Loops)]
    public static void Invert(ExpansionData data, float* x, long planeStride, int pixels, float* inverseNorms)
    {
        // In bounds: only partial loads are used after the last whole vector of a map, and the buffer is a multiple of every vector's
        // width.
        int whole = pixels / TLanes.Count * TLanes.Count;
        new Span<float>(inverseNorms, ExpansionData.MaxPlanePixels).Clear();
        int map = 0;
        for (; map <= data.Seeds - MapsAtOnce; map += MapsAtOnce, x += MapsAtOnce * planeStride)
        {
            float* x1 = x + planeStride, x2 = x1 + planeStride, x3 = x2 + planeStride;
            for (int i = 0; i < whole; i += TLanes.Count)
            {
                TVector sum = AddSquare(TLanes.Load(x + i), TLanes.Load(inverseNorms + i));
                sum = AddSquare(TLanes.Load(x1 + i), sum);
                sum = AddSquare(TLanes.Load(x2 + i), sum);
                TLanes.Store(AddSquare(TLanes.Load(x3 + i), sum), inverseNorms + i);
            }

            if (whole < pixels)
            {
                for (int next = 0; next < MapsAtOnce; next++)
                    AddRest(x + next * planeStride + whole, pixels - whole, inverseNorms + whole);
            }
        }

        for (; map < data.Seeds; map++, x += planeStride)
        {
            for (int i = 0; i < whole; i += TLanes.Count)
                TLanes.Store(AddSquare(TLanes.Load(x + i), TLanes.Load(inverseNorms + i)), inverseNorms + i);
            if (whole < pixels)
                AddRest(x + whole, pixels - whole, inverseNorms + whole);
        }

        for (int i = 0; i < pixels; i += TLanes.Count)
            TLanes.Store(data.InverseNorm<TLanes, TVector>(TLanes.Load(inverseNorms + i)), inverseNorms + i);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector AddSquare(TVector value, TVector sum) => TLanes.MultiplyAdd(value, value, sum);

    private static void AddRest(float* x, int count, float* sum) =>
        TLanes.Store(AddSquare(TLanes.LoadPartial(x, count), TLanes.Load(sum)), sum);
}
