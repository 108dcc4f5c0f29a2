namespace NestQuant.Onnx.Graph;

/// <summary>
/// The order of nodes: each after those whose results it reads. ONNX demands it, and ONNX Runtime does not, so there are files without it.
/// </summary>
internal static class NodeOrder
{
    /// <summary>
    /// Orders the nodes of all graphs and functions. A node comes after what it reads and otherwise keeps its place; what is in order stays
    /// as it is.
    /// </summary>
    /// <exception cref="ModelException">A node needs its own result.</exception>
    public static void Restore(ModelProto model)
    {
        if (model.Graph is { } graph) Restore(graph);
        foreach (FunctionProto function in model.Functions) Restore(function.Node);
    }

    /// <summary>Orders a graph and its subgraphs. Returns the names that it takes from outer graphs.</summary>
    private static HashSet<string> Restore(GraphProto graph)
    {
        HashSet<string> captured = Restore(graph.Node);
        captured.ExceptWith(graph.Input.Select(static input => input.Name));
        captured.ExceptWith(graph.Initializer.Select(static tensor => tensor.Name));
        captured.ExceptWith(graph.SparseInitializer.Select(static tensor => tensor.Values?.Name ?? ""));
        return captured;
    }

    /// <summary>Orders nodes and their subgraphs. Returns the names that they read and do not define.</summary>
    private static HashSet<string> Restore(List<NodeProto> nodes)
    {
        var producers = new Dictionary<string, int>(StringComparer.Ordinal);
        for (int i = 0; i < nodes.Count; i++)
            foreach (string output in nodes[i].Output) producers.TryAdd(output, i);
        var captured = new HashSet<string>(StringComparer.Ordinal);
        var needed = new HashSet<int>[nodes.Count];
        bool isOrdered = true;
        for (int i = 0; i < nodes.Count; i++)
        {
            needed[i] = [];
            foreach (string value in nodes[i].Input.Concat(nodes[i].Subgraphs().SelectMany(Restore)))
            {
                if (value.Length == 0) continue;
                if (!producers.TryGetValue(value, out int producer))
                {
                    captured.Add(value);
                    continue;
                }

                needed[i].Add(producer);
                isOrdered &= producer < i;
            }
        }

        if (!isOrdered) Sort(nodes, needed);
        return captured;
    }

    /// <summary>Of the nodes that have what they read, the one that came first is always next.</summary>
    private static void Sort(List<NodeProto> nodes, HashSet<int>[] needed)
    {
        var readers = new List<int>[nodes.Count];
        for (int i = 0; i < nodes.Count; i++) readers[i] = [];
        var missing = new int[nodes.Count];
        var ready = new PriorityQueue<int, int>();
        for (int i = 0; i < nodes.Count; i++)
        {
            foreach (int producer in needed[i]) readers[producer].Add(i);
            if ((missing[i] = needed[i].Count) == 0) ready.Enqueue(i, i);
        }

        var ordered = new List<NodeProto>(nodes.Count);
        while (ready.TryDequeue(out int next, out _))
        {
            ordered.Add(nodes[next]);
            foreach (int reader in readers[next])
                if (--missing[reader] == 0) ready.Enqueue(reader, reader);
        }

        if (ordered.Count < nodes.Count) throw Cycle(nodes, needed, missing);
        for (int i = 0; i < nodes.Count; i++) nodes[i] = ordered[i];
    }

    private static ModelException Cycle(List<NodeProto> nodes, HashSet<int>[] needed, int[] missing)
    {
        // From a node that waits to one that it waits for, until one comes again: it is in the cycle, where others may only depend on it.
        var seen = new HashSet<int>();
        int node = Array.FindIndex(missing, static count => count > 0);
        while (seen.Add(node)) node = needed[node].First(producer => missing[producer] > 0);
        return new ModelException($"node '{nodes[node].DisplayName()}' needs its own result, directly or through others");
    }
}
