using System.Globalization;
using System.Net.Sockets;
using System.Text.Json;
using Orchestrator.Agent.Api.Contracts;

namespace Orchestrator.Agent.Installation;

/// <summary>The running service, as systemd and the daemon itself tell of it.</summary>
/// <param name="socket">The daemon's admin socket.</param>
internal sealed class ServiceUnit(string socket, TimeProvider time)
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    public static async Task<CommandResult> SystemctlAsync(string verb, TimeSpan limit, CancellationToken cancellationToken) =>
        await SystemCommand.RunAsync("systemctl", [verb, InstallPaths.Service], limit, cancellationToken);

    /// <summary>Its main process; null: none runs.</summary>
    public static async Task<int?> MainProcessAsync(CancellationToken cancellationToken)
    {
        var answer = await SystemCommand.RunAsync("systemctl", ["show", "--property=MainPID", "--value", InstallPaths.Service], SystemCommand.Patience, cancellationToken);
        return int.TryParse(answer.Output.Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out var process) && process > 0 ? process : null;
    }

    /// <summary>Its last words.</summary>
    public static async Task<string> LogAsync(DateTimeOffset since, CancellationToken cancellationToken)
    {
        var from = since.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
        var answer = await SystemCommand.RunAsync("journalctl", ["--unit", InstallPaths.Service, "--since", $"@{from}", "--lines=20", "--output=cat", "--no-pager"], SystemCommand.Patience, cancellationToken);
        return answer.Output.Trim();
    }

    /// <summary>Waits until the daemon says that it is ready and of this version, and still runs in the same process a moment later.</summary>
    /// <returns>Null: it is well; else what is not.</returns>
    public async Task<string?> WellAsync(string version, TimeSpan limit, TimeSpan settle, CancellationToken cancellationToken)
    {
        using var http = Connect();
        var started = time.GetTimestamp();
        while (await AskAsync(http, version, cancellationToken) is { } trouble)
        {
            if (time.GetElapsedTime(started) > limit) return $"{trouble}, after {limit.TotalSeconds:0} s";
            await Task.Delay(Pause, time, cancellationToken);
        }

        var process = await MainProcessAsync(cancellationToken);
        await Task.Delay(settle, time, cancellationToken);
        return await MainProcessAsync(cancellationToken) == process ? await AskAsync(http, version, cancellationToken) : "it was ready, and ended shortly after";
    }

    private static async Task<string?> AskAsync(HttpClient http, string version, CancellationToken cancellationToken)
    {
        try
        {
            using var ready = await http.GetAsync("/readyz", cancellationToken);
            if (!ready.IsSuccessStatusCode) return "it is not ready";

            var answer = JsonSerializer.Deserialize(await http.GetStringAsync("/api/v1/version", cancellationToken), ApiJson.Default.VersionResponse);
            return answer?.Version == version ? null : $"version {answer?.Version} answers, not {version}";
        }
        catch (Exception exception) when (exception is HttpRequestException or JsonException or TaskCanceledException && !cancellationToken.IsCancellationRequested)
        {
            return $"it does not answer: {exception.Message}";
        }
    }

    private HttpClient Connect() => new(new SocketsHttpHandler
    {
        PooledConnectionLifetime = TimeSpan.Zero,
        ConnectCallback = async (_, cancellationToken) =>
        {
            var connection = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            try
            {
                await connection.ConnectAsync(new UnixDomainSocketEndPoint(socket), cancellationToken);
                return new NetworkStream(connection, ownsSocket: true);
            }
            catch
            {
                connection.Dispose();
                throw;
            }
        },
    })
    {
        BaseAddress = new Uri("http://localhost/"),
        Timeout = TimeSpan.FromSeconds(10),
    };
}
