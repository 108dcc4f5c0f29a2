namespace NestQuant.Passes.Nesting.Calibrated;

/// <summary>Distributes bits over layers: greedily, by error per byte.</summary>
internal sealed class BitAllocation
{
    private readonly IReadOnlyList<IReadOnlyList<BitChoice>> _layers;
    private readonly int[] _chosen;
    private readonly List<(long Bytes, double Error)> _curve = [];

    private BitAllocation(IReadOnlyList<IReadOnlyList<BitChoice>> layers)
    {
        _layers = layers;
        _chosen = new int[layers.Count];
    }

    /// <summary>The choice of every layer.</summary>
    public IReadOnlyList<BitChoice> Chosen => [.. _layers.Select((choices, layer) => choices[_chosen[layer]])];

    /// <summary>Bytes and error of all layers, at first and after every step.</summary>
    public IReadOnlyList<(long Bytes, double Error)> Curve => _curve;

    /// <summary>Chooses.</summary>
    /// <param name="layers">What every layer can have, fewest bits first; each has the first to begin with.</param>
    /// <param name="mostBytes">No step that leads beyond it is taken.</param>
    /// <param name="enoughError">No further step is taken once the error is at most this.</param>
    public static BitAllocation Choose(IReadOnlyList<IReadOnlyList<BitChoice>> layers, long mostBytes, double enoughError)
    {
        var allocation = new BitAllocation(layers);
        allocation.Record();
        while (allocation._curve[^1].Error > enoughError && allocation.TakeStep(mostBytes - allocation._curve[^1].Bytes))
            allocation.Record();
        return allocation;
    }

    /// <summary>The step that lowers the error most per byte, of those that fit; the first of equal ones.</summary>
    private bool TakeStep(long room)
    {
        (int Layer, int Choice, double Gain) best = (-1, 0, 0);
        for (int layer = 0; layer < _layers.Count; layer++)
        {
            BitChoice now = _layers[layer][_chosen[layer]];
            for (int choice = _chosen[layer] + 1; choice < _layers[layer].Count; choice++)
            {
                BitChoice next = _layers[layer][choice];
                double gain = (now.Error - next.Error) / Math.Max(next.Bytes - now.Bytes, 1);
                if (next.Bytes - now.Bytes <= room && gain > best.Gain) best = (layer, choice, gain);
            }
        }

        if (best.Layer < 0) return false;
        _chosen[best.Layer] = best.Choice;
        return true;
    }

    private void Record()
    {
        IReadOnlyList<BitChoice> chosen = Chosen;
        _curve.Add((chosen.Sum(static choice => choice.Bytes), chosen.Sum(static choice => choice.Error)));
    }
}

/// <summary>A number of bits that a layer can have.</summary>
/// <param name="Bits">The bits.</param>
/// <param name="Bytes">Bytes of its high operand.</param>
/// <param name="Error">Relative squared error of its outputs, at least 0.</param>
internal readonly record struct BitChoice(int Bits, long Bytes, double Error);
