namespace NestQuant.RuntimeOps.Kernels.Convolutions;

/// <summary>Prepared panels of one layer, kept from run to run: saves decoding at the price of memory.</summary>
/// <remarks>
/// The first panels are kept, as many as fit; the others are prepared in every run. Panels are kept for one precision and one
/// algorithm and tier: a run with others drops them all. A run that is still using dropped panels keeps them alive until it ends.
/// </remarks>
/// <param name="maxBytes">The most bytes to keep.</param>
internal sealed class PanelCache(long maxBytes)
{
    // A vector that crosses a cache line takes twice as long to load.
    private const int Alignment = 64;

    private volatile Entry? _entry;

    /// <summary>Bytes of the panels that are kept now.</summary>
    public long Bytes => _entry?.Bytes ?? 0;

    /// <summary>Bits of the level of the panels that are kept now; 0 when none are.</summary>
    public int Level => _entry?.Level ?? 0;

    /// <summary>The panels to use in a run.</summary>
    /// <param name="prepared">Prepares them; their weights never change.</param>
    /// <param name="level">Bits of their level.</param>
    /// <param name="panels">Panels of the layer.</param>
    public Entry Enter(IPanelPreparation prepared, int level, int panels)
    {
        Entry? entry = _entry;
        if (entry is null || entry.Level != level || entry.Form != prepared.Form || entry.PanelBytes != prepared.Bytes)
        {
            entry = new Entry(level, prepared.Form, prepared.Bytes, (int)Math.Min(panels, maxBytes / prepared.Bytes));
            _entry = entry;
        }

        return entry;
    }

    /// <summary>The kept panels of one precision.</summary>
    internal sealed unsafe class Entry(int level, object form, int panelBytes, int panels)
    {
        private readonly byte[]?[] _panels = new byte[]?[panels];

        /// <summary>Bits of the level of the panels.</summary>
        public int Level { get; } = level;

        /// <summary>The form that they were prepared in (<see cref="IPanelPreparation.Form"/>).</summary>
        public object Form { get; } = form;

        /// <summary>Bytes of one panel.</summary>
        public int PanelBytes { get; } = panelBytes;

        /// <summary>Bytes of all prepared panels.</summary>
        public long Bytes => (long)_panels.Count(static panel => panel is not null) * PanelBytes;

        /// <summary>The panel, prepared now if necessary; null when it is not one of the kept ones.</summary>
        /// <param name="prepared">Prepares it.</param>
        /// <param name="panel">Index of the panel.</param>
        public byte* Get(IPanelPreparation prepared, int panel)
        {
            if (panel >= _panels.Length)
                return null;
            byte[]? kept = Volatile.Read(ref _panels[panel]);
            if (kept is null)
            {
                // Pinned memory does not move, so its address holds as long as this entry does. Two threads may prepare the same panel:
                // their results are equal, and the first is kept.
                byte[] created = GC.AllocateUninitializedArray<byte>(PanelBytes + Alignment - 1, pinned: true);
                prepared.Prepare(panel, Address(created));
                kept = Interlocked.CompareExchange(ref _panels[panel], created, null) ?? created;
            }

            return Address(kept);
        }

        private static byte* Address(byte[] pinned)
        {
            nint address = System.Runtime.InteropServices.Marshal.UnsafeAddrOfPinnedArrayElement(pinned, 0);
            return (byte*)((address + Alignment - 1) & -Alignment);
        }
    }
}
