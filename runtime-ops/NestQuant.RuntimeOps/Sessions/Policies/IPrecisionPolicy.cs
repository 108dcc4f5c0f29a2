namespace NestQuant.RuntimeOps.Sessions.Policies;

/// <summary>Chooses the precision of a session from time to time. One object serves one session.</summary>
public interface IPrecisionPolicy
{
    /// <summary>The precision to go on with.</summary>
    /// <param name="precisions">Bits of the precisions that the session has, descending.</param>
    /// <param name="bits">The session's precision now.</param>
    /// <returns>One of <paramref name="precisions"/>.</returns>
    int Choose(IReadOnlyList<int> precisions, int bits);
}
