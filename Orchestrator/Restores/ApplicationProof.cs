using System.Collections.Immutable;
using System.Globalization;
using Orchestrator.Backups;
using Orchestrator.Backups.Sets;
using Orchestrator.Deployments;
using Orchestrator.Docker;
using Orchestrator.Stacks;

namespace Orchestrator.Restores;

/// <summary>The application's own images on the restored data: each must pass its gate and answer its smoke requests, as on a deployment.</summary>
public sealed class ApplicationProof(ShadowRuns shadows, TimeProvider time) : IDisposable
{
    private readonly HttpMessageInvoker _client = new(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false, UseProxy = false });

    /// <summary>Starts what does not run yet, in the order of the dependencies.</summary>
    /// <exception cref="BackupFailedException">A service did not come up.</exception>
    public async Task<ImmutableArray<DrillCheck>> RunAsync(Shadow shadow, OperationProgress progress, CancellationToken cancellationToken)
    {
        var checks = ImmutableArray.CreateBuilder<DrillCheck>();
        var running = (await shadows.RunningAsync(shadow, cancellationToken)).ToHashSet();
        foreach (var spec in shadow.Release.Stack.Services.Where(spec => !running.Contains(spec.Name)))
        {
            progress.Say($"{spec.Name}: starting the application on the restored data");
            var container = await shadows.StartAsync(shadow, spec, cancellationToken);
            checks.Add(new(spec.Name, "comes up", true, GateOf(spec)));
            foreach (var request in spec.BasMalin?.Smoke ?? []) checks.Add(await AskAsync(shadow, spec, container, request, cancellationToken));
        }

        return checks.ToImmutable();
    }

    public void Dispose() => _client.Dispose();

    private static string GateOf(ServiceSpec spec) => spec.BasMalin?.Gate switch
    {
        { Kind: GateKind.Http } gate => $"answers {gate.Http}",
        { Kind: GateKind.Tcp } gate => string.Create(CultureInfo.InvariantCulture, $"listens on {gate.Port}"),
        { Kind: GateKind.Exec } => "its command succeeds",
        { Kind: GateKind.Docker } => "its health check succeeds",
        _ => "runs, and keeps running",
    };

    private async Task<DrillCheck> AskAsync(Shadow shadow, ServiceSpec spec, ObservedContainer container, SmokeRequest smoke, CancellationToken cancellationToken)
    {
        var what = $"{smoke.Method} {smoke.Path}";
        var port = StackTraffic.PortOf(spec, shadow.Release.Images.GetValueOrDefault(spec.Name));
        if (StackTraffic.AddressOf(shadow.Release.Stack, spec, container) is not { } address || port == 0) return new(spec.Name, what, false, "it cannot be told where to ask");

        var started = time.GetTimestamp();
        using var limit = new CancellationTokenSource(smoke.Within + TimeSpan.FromSeconds(5), time);     // a cold cache is no failure of the data
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        using var message = new HttpRequestMessage(new HttpMethod(smoke.Method), new Uri(string.Create(CultureInfo.InvariantCulture, $"http://{address.Host}:{port}{smoke.Path}")));
        message.Headers.Host = spec.BasMalin?.Route?.Hosts.FirstOrDefault(host => !host.Contains('*', StringComparison.Ordinal)) ?? "localhost";
        try
        {
            using var answer = await _client.SendAsync(message, either.Token);
            var body = await answer.Content.ReadAsStringAsync(either.Token);
            var status = (int)answer.StatusCode;
            var took = time.GetElapsedTime(started).TotalMilliseconds;
            if (!smoke.Expect.Any(range => range.Contains(status))) return new(spec.Name, what, false, $"was answered with {status}, expected {string.Join(", ", smoke.Expect)}");
            return smoke.Contains is { } text && !body.Contains(text, StringComparison.Ordinal)
                ? new(spec.Name, what, false, $"was answered with {status}, but without \"{text}\"")
                : new(spec.Name, what, true, string.Create(CultureInfo.InvariantCulture, $"{status} in {took:0} ms"));
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return new(spec.Name, what, false, string.Create(CultureInfo.InvariantCulture, $"was not answered within {smoke.Within.TotalSeconds + 5:0.#} s"));
        }
        catch (HttpRequestException failure)
        {
            return new(spec.Name, what, false, $"got no answer: {failure.Message}");
        }
    }
}
