using System.Runtime.CompilerServices;

namespace NestQuant.RuntimeOps.Kernels.GroupNL;

/// <summary>Expands a block of neighbouring pixels of one NCHW image, map by map.</summary>
/// <remarks>
/// The seed maps are read twice, the second time from the cache, and every output is written once: a seed map's values are normalised into a
/// block-sized buffer, from which the seed's own output and all maps that come from it are made.
/// </remarks>
internal static unsafe class PlaneExpansion<TLanes, TVector>
    where TLanes : struct, ILanes<TVector>
    where TVector : struct
{
    /// <summary>See <see cref="KernelTier.ExpandPlanes"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run(ExpansionData data, float* x, float* y, long planeStride, int pixels)
    {
        // In bounds: both buffers hold MaxPixels floats, a multiple of every vector's width, and pixels is at most that.
        float* norms = stackalloc float[KernelTier.MaxExpansionPixels];
        float* seed = stackalloc float[KernelTier.MaxExpansionPixels];
        Norms(data, x, planeStride, pixels, norms);
        MapEpilogue<TLanes, TVector> epilogue = new(data.Activation);
        ReadOnlySpan<int> generated = data.Sources.BySource;
        for (int map = 0; map < data.Seeds; map++)
        {
            Normalise(x + map * planeStride, norms, pixels, seed);
            Finish(data, epilogue, seed, map, pixels, y + map * planeStride);
            for (; !generated.IsEmpty && data.Sources.Source[generated[0]] == map; generated = generated[1..])
            {
                int g = generated[0];
                float* target = y + (data.Seeds + g) * planeStride;
                if (data.IsWide(g))
                    GenerateWide(data, epilogue, seed, g, pixels, target);
                else
                    Generate(data, epilogue, seed, g, pixels, target);
            }
        }
    }

    private static void Norms(ExpansionData data, float* x, long planeStride, int pixels, float* norms)
    {
        int whole = pixels / TLanes.Count * TLanes.Count;
        new Span<float>(norms, KernelTier.MaxExpansionPixels).Clear();
        for (int map = 0; map < data.Seeds; map++, x += planeStride)
        {
            for (int i = 0; i < whole; i += TLanes.Count)
                AddSquare(TLanes.Load(x + i), norms + i);
            if (whole < pixels)
                AddSquare(TLanes.LoadPartial(x + whole, pixels - whole), norms + whole);
        }

        TVector least = TLanes.Create(data.Epsilon);
        TVector most = TLanes.Create(ExpansionData.MaxNorm);
        for (int i = 0; i < pixels; i += TLanes.Count)
            TLanes.Store(TLanes.AtMost(TLanes.AtLeast(TLanes.Sqrt(TLanes.Load(norms + i)), least), most), norms + i);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void AddSquare(TVector value, float* sum) => TLanes.Store(TLanes.MultiplyAdd(value, value, TLanes.Load(sum)), sum);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Normalise(float* x, float* norms, int pixels, float* seed)
    {
        int whole = pixels / TLanes.Count * TLanes.Count;
        for (int i = 0; i < whole; i += TLanes.Count)
            TLanes.Store(TLanes.Divide(TLanes.Load(x + i), TLanes.Load(norms + i)), seed + i);
        if (whole < pixels)
            TLanes.Store(TLanes.Divide(TLanes.LoadPartial(x + whole, pixels - whole), TLanes.Load(norms + whole)), seed + whole);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Finish(ExpansionData data, in MapEpilogue<TLanes, TVector> epilogue, float* seed, int map, int pixels, float* y)
    {
        if (!data.ChangesSeeds)
        {
            new ReadOnlySpan<float>(seed, pixels).CopyTo(new Span<float>(y, pixels));
            return;
        }

        TVector scale = TLanes.Create(data.ScaleOf(map));
        TVector bias = TLanes.Create(data.BiasOf(map));
        int whole = pixels / TLanes.Count * TLanes.Count;
        for (int i = 0; i < whole; i += TLanes.Count)
            TLanes.Store(epilogue.Apply(TLanes.Load(seed + i), scale, bias), y + i);
        if (whole < pixels)
            TLanes.StorePartial(epilogue.Apply(TLanes.Load(seed + whole), scale, bias), y + whole, pixels - whole);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Generate(ExpansionData data, in MapEpilogue<TLanes, TVector> epilogue, float* seed, int g, int pixels, float* y)
    {
        TVector shift = TLanes.Create(data.Shift[g]);
        TVector period = TLanes.Create(data.Period[g]);
        TVector scale = TLanes.Create(data.ScaleOf(data.Seeds + g));
        TVector bias = TLanes.Create(data.BiasOf(data.Seeds + g));
        int whole = pixels / TLanes.Count * TLanes.Count;
        int i = 0;
        for (; i < whole; i += TLanes.Count)
        {
            TVector argument = TLanes.Multiply(TLanes.Subtract(TLanes.Load(seed + i), shift), period);
            TLanes.Store(epilogue.Apply(Sine.Lanes<TLanes, TVector>(argument), scale, bias), y + i);
        }

        if (i < pixels)
        {
            TVector argument = TLanes.Multiply(TLanes.Subtract(TLanes.Load(seed + i), shift), period);
            TLanes.StorePartial(epilogue.Apply(Sine.Lanes<TLanes, TVector>(argument), scale, bias), y + i, pixels - i);
        }
    }

    private static void GenerateWide(ExpansionData data, in MapEpilogue<TLanes, TVector> epilogue, float* seed, int g, int pixels, float* y)
    {
        TVector scale = TLanes.Create(data.ScaleOf(data.Seeds + g));
        TVector bias = TLanes.Create(data.BiasOf(data.Seeds + g));
        for (int i = 0; i < pixels; i++)
            TLanes.StorePartial(epilogue.Apply(TLanes.Create(data.WideSine(g, seed[i])), scale, bias), y + i, 1);
    }
}
