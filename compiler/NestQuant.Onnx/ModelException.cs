namespace NestQuant.Onnx;

/// <summary>
/// Bad input: a model, a file or a value that cannot be used. The message is one line for the person who gave the input: what is wrong,
/// where, and what to do about it. Names that it quotes come from that input, so it is made safe to show: always one line, without control
/// characters, and of bounded length (<see cref="DisplayText.OfMessage"/>).
/// </summary>
public sealed class ModelException : Exception
{
    /// <summary>Creates an exception with a general message.</summary>
    public ModelException()
        : this("The model cannot be used.")
    {
    }

    /// <summary>Creates an exception.</summary>
    /// <param name="message">One line: what is wrong, where, and what to do about it.</param>
    public ModelException(string message)
        : base(OneLine(message))
    {
    }

    /// <summary>Creates an exception that has a cause.</summary>
    /// <param name="message">One line: what is wrong, where, and what to do about it.</param>
    /// <param name="innerException">The cause, for diagnosis only; the message does not depend on it.</param>
    public ModelException(string message, Exception innerException)
        : base(OneLine(message), innerException)
    {
    }

    private static string OneLine(string message)
    {
        ArgumentNullException.ThrowIfNull(message);
        return DisplayText.OfMessage(message.ReplaceLineEndings(" "));
    }
}
