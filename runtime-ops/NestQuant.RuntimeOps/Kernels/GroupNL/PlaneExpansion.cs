using System.Runtime.CompilerServices;

namespace NestQuant.RuntimeOps.Kernels.GroupNL;

/// <summary>Expands a block of neighbouring pixels of one NCHW image, map by map.</summary>
/// <remarks>
/// The seed maps are read twice, the second time from the cache, and every output is written once: a seed map is normalised where
/// it ends up, and the maps that come from it read it there. Only where scale, bias or activation change the seed's own output does a
/// block-sized buffer keep what the others need.
/// </remarks>
internal static unsafe class PlaneExpansion<TLanes, TVector>
    where TLanes : struct, ILanes<TVector>
    where TVector : struct
{
    /// <summary>See <see cref="KernelTier.ExpandPlanes"/>.</summary>
    public static void Run(ExpansionData data, float* x, float* y, long planeStride, int pixels)
    {
        // In bounds: both buffers hold MaxExpansionPixels floats, a multiple of every vector's width, and pixels is at most that.
        float* inverseNorms = stackalloc float[KernelTier.MaxExpansionPixels];
        float* buffer = stackalloc float[KernelTier.MaxExpansionPixels];
        InvertNorms(data, x, planeStride, pixels, inverseNorms);
        MapEpilogue<TLanes, TVector> epilogue = new(data.Activation);
        ReadOnlySpan<int> generated = data.Sources.BySource;
        for (int map = 0; map < data.Seeds; map++)
        {
            float* target = y + map * planeStride;
            float* seed = data.HasEpilogue ? buffer : target;
            Normalise(x + map * planeStride, inverseNorms, pixels, seed);
            if (data.HasEpilogue)
                Finish(data, epilogue, seed, map, pixels, target);
            for (; !generated.IsEmpty && data.Sources.Source[generated[0]] == map; generated = generated[1..])
            {
                int g = generated[0];
                target = y + (data.Seeds + g) * planeStride;
                if (data.IsWide(g))
                    GenerateWide(data, epilogue, seed, g, pixels, target);
                else
                    Generate(data, epilogue, seed, g, pixels, target);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void InvertNorms(ExpansionData data, float* x, long planeStride, int pixels, float* inverseNorms)
    {
        int whole = pixels / TLanes.Count * TLanes.Count;
        new Span<float>(inverseNorms, KernelTier.MaxExpansionPixels).Clear();
        for (int map = 0; map < data.Seeds; map++, x += planeStride)
        {
            for (int i = 0; i < whole; i += TLanes.Count)
                AddSquare(TLanes.Load(x + i), inverseNorms + i);
            if (whole < pixels)
                AddSquare(TLanes.LoadPartial(x + whole, pixels - whole), inverseNorms + whole);
        }

        for (int i = 0; i < pixels; i += TLanes.Count)
            TLanes.Store(data.InverseNorm<TLanes, TVector>(TLanes.Load(inverseNorms + i)), inverseNorms + i);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void AddSquare(TVector value, float* sum) => TLanes.Store(TLanes.MultiplyAdd(value, value, TLanes.Load(sum)), sum);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Normalise(float* x, float* inverseNorms, int pixels, float* seed)
    {
        int i = 0;
        for (; i <= pixels - TLanes.Count; i += TLanes.Count)
            TLanes.Store(TLanes.Multiply(TLanes.Load(x + i), TLanes.Load(inverseNorms + i)), seed + i);
        if (i < pixels)
        {
            TVector value = TLanes.LoadPartial(x + i, pixels - i);
            TLanes.StorePartial(TLanes.Multiply(value, TLanes.Load(inverseNorms + i)), seed + i, pixels - i);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Finish(ExpansionData data, in MapEpilogue<TLanes, TVector> epilogue, float* seed, int map, int pixels, float* y)
    {
        TVector scale = TLanes.Create(data.ScaleOf(map));
        TVector bias = TLanes.Create(data.BiasOf(map));
        int i = 0;
        for (; i <= pixels - TLanes.Count; i += TLanes.Count)
            TLanes.Store(epilogue.Apply(TLanes.Load(seed + i), scale, bias), y + i);
        if (i < pixels)
            TLanes.StorePartial(epilogue.Apply(TLanes.LoadPartial(seed + i, pixels - i), scale, bias), y + i, pixels - i);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Generate(ExpansionData data, in MapEpilogue<TLanes, TVector> epilogue, float* seed, int g, int pixels, float* y)
    {
        TVector shift = TLanes.Create(data.Shift[g]);
        TVector period = TLanes.Create(data.Period[g]);
        TVector scale = TLanes.Create(data.ScaleOf(data.Seeds + g));
        TVector bias = TLanes.Create(data.BiasOf(data.Seeds + g));
        bool hasEpilogue = data.HasEpilogue;
        int i = 0;
        for (; i <= pixels - TLanes.Count; i += TLanes.Count)
        {
            TVector sine = Sine.Lanes<TLanes, TVector>(TLanes.Multiply(TLanes.Subtract(TLanes.Load(seed + i), shift), period));
            if (hasEpilogue)
                sine = epilogue.Apply(sine, scale, bias);
            TLanes.Store(sine, y + i);
        }

        if (i < pixels)
        {
            TVector n = TLanes.LoadPartial(seed + i, pixels - i);
            TVector sine = Sine.Lanes<TLanes, TVector>(TLanes.Multiply(TLanes.Subtract(n, shift), period));
            if (hasEpilogue)
                sine = epilogue.Apply(sine, scale, bias);
            TLanes.StorePartial(sine, y + i, pixels - i);
        }
    }

    private static void GenerateWide(ExpansionData data, in MapEpilogue<TLanes, TVector> epilogue, float* seed, int g, int pixels, float* y)
    {
        TVector scale = TLanes.Create(data.ScaleOf(data.Seeds + g));
        TVector bias = TLanes.Create(data.BiasOf(data.Seeds + g));
        for (int i = 0; i < pixels; i++)
        {
            TVector sine = TLanes.Create(data.WideSine(g, seed[i]));
            TLanes.StorePartial(data.HasEpilogue ? epilogue.Apply(sine, scale, bias) : sine, y + i, 1);
        }
    }
}
