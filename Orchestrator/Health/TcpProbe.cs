using System.Net.Sockets;

namespace Orchestrator.Health;

/// <summary>Healthy when a TCP connection comes about.</summary>
public sealed class TcpProbe(string address, int port, TimeSpan timeout, TimeProvider time) : IHealthProbe
{
    private readonly string _asked = $"connect to {address}:{port}";

    public async Task<ProbeResult> ProbeAsync(CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(timeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        using var client = new TcpClient();
        try
        {
            await client.ConnectAsync(address, port, either.Token);
            return new ProbeResult(true, $"{_asked}: connected");
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return new ProbeResult(false, $"{_asked}: no answer within {HttpProbe.Seconds(timeout)}") { Hint = ProbeHint.Unreachable };
        }
        catch (SocketException failure)
        {
            return ConnectFailure.Result(_asked, failure);
        }
    }
}
