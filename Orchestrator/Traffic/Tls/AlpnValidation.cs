using System.Net.Security;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Orchestrator.Traffic.Tls;

/// <summary>
/// Tells the connections of a validation by TLS-ALPN-01 from all others. The server's own hook for handshakes sees the client's name, but not the
/// protocols that it offers, so the first message is looked at before, without being taken, and only while a validation is under way.
/// </summary>
internal static class AlpnValidation
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>To be called before TLS is set up on the listener.</summary>
    public static void Look(ListenOptions listen, AcmeChallenges challenges) =>
        listen.Use(next => connection => challenges.Any ? LookAsync(connection, next, challenges) : next(connection));

    /// <summary>To be called after that: a validation is over with the handshake (RFC 8737, 3).</summary>
    public static void End(ListenOptions listen) =>
        listen.Use(next => connection => connection.Features.Get<ChosenHandshake>() is null ? next(connection) : Task.CompletedTask);

    /// <summary>What the connection is to be shown; null: what everybody is.</summary>
    public static SslServerAuthenticationOptions? HandshakeOf(BaseConnectionContext connection) =>
        connection.Features.Get<ChosenHandshake>()?.Options;

    private static async Task LookAsync(ConnectionContext connection, ConnectionDelegate next, AcmeChallenges challenges)
    {
        using (var patience = CancellationTokenSource.CreateLinkedTokenSource(connection.ConnectionClosed))
        {
            patience.CancelAfter(Patience);
            try
            {
                if (await HostAsync(connection, patience.Token) is { } host && challenges.FindHandshake(host) is { } options)
                    connection.Features.Set(new ChosenHandshake(options));
            }
            catch (Exception exception) when (exception is OperationCanceledException or IOException)
            {
                // Gone, or silent: the connection ends here.
                return;
            }
        }

        await next(connection);
    }

    private static async Task<string?> HostAsync(ConnectionContext connection, CancellationToken cancellationToken)
    {
        var input = connection.Transport.Input;
        while (true)
        {
            var read = await input.ReadAsync(cancellationToken);
            var more = !read.IsCompleted && ClientHello.IsIncomplete(read.Buffer);
            var host = more ? null : ClientHello.ValidatedHost(read.Buffer);
            input.AdvanceTo(read.Buffer.Start, more ? read.Buffer.End : read.Buffer.Start);
            if (!more) return host;
        }
    }

    private sealed record ChosenHandshake(SslServerAuthenticationOptions Options);
}
