namespace Orchestrator.Certificates;

/// <summary>How it is shown that a host is ours.</summary>
public enum ChallengeKind
{
    /// <summary>A text at a path of the host, over plain HTTP on port 80.</summary>
    Http,

    /// <summary>A certificate in a handshake with the host, on port 443 (RFC 8737).</summary>
    TlsAlpn,
}

/// <summary>The names on the wire.</summary>
internal static class ChallengeKinds
{
    public static string Word(this ChallengeKind kind) => kind is ChallengeKind.Http ? "http-01" : "tls-alpn-01";
}
