namespace Orchestrator.Certificates;

/// <summary>The authority has refused, or could not prove that the host is ours. The message says why.</summary>
public sealed class AcmeException : Exception
{
    private const string Prefix = "urn:ietf:params:acme:error:";
    private const int Longest = 600;

    /// <param name="type">A URN of RFC 8555, 6.7.</param>
    /// <param name="detail">What the authority says; it is shortened, and control characters are taken out.</param>
    /// <param name="retryAfter">When the authority wants to be asked again; null: it does not say.</param>
    public AcmeException(string type, string detail, TimeSpan? retryAfter)
        : base($"{Clean(Short(type))}: {Clean(detail)}")
    {
        Type = Short(type);
        RetryAfter = retryAfter;
    }

    private AcmeException(string detail)
        : this("serverInternal", detail, retryAfter: null)
    {
    }

    /// <summary><c>rateLimited</c>, <c>badNonce</c>, …</summary>
    public string Type { get; }

    public TimeSpan? RetryAfter { get; }

    /// <summary>The authority has said what makes no sense.</summary>
    public static AcmeException Nonsense(string detail) => new(detail);

    private static string Short(string type) => type.StartsWith(Prefix, StringComparison.Ordinal) ? type[Prefix.Length..] : type;

    private static string Clean(string text)
    {
        var line = string.Concat(text.Select(letter => char.IsControl(letter) ? ' ' : letter));
        return line.Length <= Longest ? line : string.Concat(line.AsSpan(0, Longest), "…");
    }
}
