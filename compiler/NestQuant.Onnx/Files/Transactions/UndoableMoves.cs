namespace NestQuant.Onnx.Files.Transactions;

/// <summary>Renames of files within a file system, each replacing what is there, that can be undone as a whole.</summary>
internal sealed class UndoableMoves
{
    private readonly Stack<(string From, string To)> _done = [];

    /// <summary>The new name of the last rename that was tried.</summary>
    public string Last { get; private set; } = "";

    /// <summary>Renames a file.</summary>
    public void Move(string from, string to)
    {
        Last = to;
        FileOperation.Announce();
        File.Move(from, to, overwrite: true);
        _done.Push((from, to));
    }

    /// <summary>Renames a file if there is one.</summary>
    public void TryMove(string from, string to)
    {
        try
        {
            Move(from, to);
        }
        catch (FileNotFoundException)
        {
        }
    }

    /// <summary>Undoes all renames, the last one first. One that cannot be undone does not prevent undoing the others.</summary>
    public void Undo()
    {
        while (_done.TryPop(out var move))
        {
            try
            {
                File.Move(move.To, move.From, overwrite: true);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
            }
        }
    }
}
