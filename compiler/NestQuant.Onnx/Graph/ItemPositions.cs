namespace NestQuant.Onnx.Graph;

/// <summary>
/// Positions of the items of a list that is edited item by item. An item is searched for around its last known position, no farther away
/// than edits can have moved it since, so that no edit searches the whole list.
/// </summary>
/// <param name="items">The list; it may change only through this object.</param>
internal sealed class ItemPositions<T>(List<T> items)
    where T : class
{
    /// <summary>Distance above which recounting all items is cheaper than searching around.</summary>
    private const int FarthestMove = 64;

    private Dictionary<T, int>? _lastSeen;
    private int _farthestMove;

    /// <summary>Position of an item, by reference; -1 where the list does not hold it.</summary>
    public int Of(T item)
    {
        Dictionary<T, int> lastSeen = _lastSeen is { } known && _farthestMove <= FarthestMove ? known : Count();
        if (!lastSeen.TryGetValue(item, out int start)) return -1;
        for (int distance = 0; distance <= _farthestMove; distance++)
        {
            if (IsAt(start - distance, item)) return lastSeen[item] = start - distance;
            if (IsAt(start + distance, item)) return lastSeen[item] = start + distance;
        }

        return -1;
    }

    /// <summary>Inserts an item.</summary>
    public void Insert(int position, T item)
    {
        items.Insert(position, item);
        Moved(1);
        _lastSeen?[item] = position;
    }

    /// <summary>Replaces an item.</summary>
    public void Replace(int position, T item)
    {
        _lastSeen?.Remove(items[position]);
        items[position] = item;
        _lastSeen?[item] = position;
    }

    /// <summary>Removes the item at a position.</summary>
    public void RemoveAt(int position)
    {
        _lastSeen?.Remove(items[position]);
        items.RemoveAt(position);
        Moved(1);
    }

    /// <summary>Removes items, in one walk over the list.</summary>
    public void Remove(IReadOnlySet<T> removed)
    {
        items.RemoveAll(removed.Contains);
        _lastSeen = null;
    }

    private bool IsAt(int position, T item) => (uint)position < (uint)items.Count && ReferenceEquals(items[position], item);

    private void Moved(int places)
    {
        if (_lastSeen is not null) _farthestMove += places;
    }

    private Dictionary<T, int> Count()
    {
        _lastSeen = new Dictionary<T, int>(items.Count, ReferenceEqualityComparer.Instance);
        for (int i = 0; i < items.Count; i++) _lastSeen[items[i]] = i;
        _farthestMove = 0;
        return _lastSeen;
    }
}
