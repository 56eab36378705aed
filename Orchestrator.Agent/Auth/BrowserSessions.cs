using System.Buffers.Text;
using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using Orchestrator.Access;

namespace Orchestrator.Agent.Auth;

/// <summary>
/// People who have logged in with a token in a browser. Kept in memory: a restart of the daemon asks them to log in again. A session is only
/// as good as its token: it is looked up with each request.
/// </summary>
internal sealed class BrowserSessions(TimeProvider time)
{
    public const string Cookie = "basmalin_session";
    private const int Most = 1000;

    public static readonly TimeSpan Length = TimeSpan.FromHours(12);

    /// <summary>Hash of the cookie → session: a look into the memory does not give a cookie.</summary>
    private readonly ConcurrentDictionary<string, Session> _sessions = new(StringComparer.Ordinal);

    /// <returns>The cookie's value.</returns>
    public string Begin(Token token)
    {
        if (_sessions.Count >= Most)
        {
            foreach (var (key, _) in _sessions.OrderBy(session => session.Value.Until).Take(Most / 10)) _sessions.TryRemove(key, out _);
        }

        var value = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32));
        _sessions[Key(value)] = new Session(token, time.GetUtcNow() + Length);
        return value;
    }

    /// <returns>The token as it was at the login; null: no such session, or it is over.</returns>
    public Token? TokenOf(string cookie)
    {
        var key = Key(cookie);
        if (!_sessions.TryGetValue(key, out var session)) return null;
        if (time.GetUtcNow() < session.Until) return session.Token;

        _sessions.TryRemove(key, out _);
        return null;
    }

    public void End(string cookie) => _sessions.TryRemove(Key(cookie), out _);

    private static string Key(string cookie) => Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(cookie)));

    private sealed record Session(Token Token, DateTimeOffset Until);
}
