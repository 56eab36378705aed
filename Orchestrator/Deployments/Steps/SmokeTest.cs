using System.Collections.Immutable;
using System.Security.Cryptography;
using Orchestrator.Stacks;
using Orchestrator.Traffic;

namespace Orchestrator.Deployments.Steps;

/// <summary>Declared requests through the real proxy to the candidate, under a token that nobody else knows, before anybody gets there.</summary>
public sealed class SmokeTest(StackTraffic traffic, TimeProvider time) : IDeploymentStep, IDisposable
{
    /// <summary>The header that leads a request to a candidate.</summary>
    public const string Header = "X-BasMalin-Preview";

    private readonly HttpMessageInvoker _client = new(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false, UseProxy = false });

    public StepKind Kind => StepKind.Smoke;

    public async Task<StepFailure?> ExecuteAsync(DeploymentWork work, CancellationToken cancellationToken)
    {
        if (work.Target is not { } release || work.Plan.WarmSwap) return null;

        var asked = work.Coloured.Where(item => item.Spec.BasMalin is { Smoke.IsEmpty: false, Route: not null }).Select(item => item.Spec).ToList();
        var previews = asked.Where(spec => work.Candidates.ContainsKey(spec.Name)).ToDictionary(
            spec => spec.Name,
            spec => new Preview(RandomNumberGenerator.GetHexString(32), StackTraffic.PortOf(spec, release.Images.GetValueOrDefault(spec.Name)), work.Candidates[spec.Name]) { Policy = RoutePolicies.Of(spec) });
        if (previews.Count == 0) return null;

        traffic.SetPreviews(work.StackName, [.. previews.Values]);
        try
        {
            foreach (var spec in asked)
                foreach (var request in spec.BasMalin?.Smoke ?? [])
                {
                    if (await AskAsync(spec, request, previews[spec.Name].Token, cancellationToken) is { } failure) return failure;
                }
        }
        finally
        {
            traffic.SetPreviews(work.StackName, []);
        }

        var requests = asked.Sum(spec => spec.BasMalin?.Smoke.Length ?? 0);
        work.Detail = $"{requests} {(requests == 1 ? "request" : "requests")} answered as expected";
        return null;
    }

    public Task UndoAsync(DeploymentWork work, CancellationToken cancellationToken)
    {
        traffic.SetPreviews(work.StackName, []);
        return Task.CompletedTask;
    }

    public void Dispose() => _client.Dispose();

    private async Task<StepFailure?> AskAsync(ServiceSpec spec, SmokeRequest smoke, string token, CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        using var limit = new CancellationTokenSource(smoke.Within, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        using var message = new HttpRequestMessage(new HttpMethod(smoke.Method), new Uri(traffic.PreviewAddress, smoke.Path));
        message.Headers.Host = spec.BasMalin?.Route?.Hosts.FirstOrDefault(host => !host.Contains('*', StringComparison.Ordinal)) ?? "localhost";
        message.Headers.Add(Header, token);
        try
        {
            using var answer = await _client.SendAsync(message, either.Token);
            var body = await answer.Content.ReadAsStringAsync(either.Token);
            return Judge(spec, smoke, (int)answer.StatusCode, body);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return Failed(spec, smoke, $"was not answered within {smoke.Within.TotalMilliseconds:0} ms (waited {time.GetElapsedTime(started).TotalMilliseconds:0} ms)");
        }
        catch (HttpRequestException failure)
        {
            return Failed(spec, smoke, $"got no answer: {failure.Message}");
        }
    }

    private static StepFailure? Judge(ServiceSpec spec, SmokeRequest smoke, int status, string body)
    {
        if (!smoke.Expect.Any(range => range.Contains(status)))
            return Failed(spec, smoke, $"was answered with {status}, expected {string.Join(", ", smoke.Expect)}; the body begins: {Head(body)}");
        return smoke.Contains is { } text && !body.Contains(text, StringComparison.Ordinal)
            ? Failed(spec, smoke, $"was answered with {status}, but the body does not contain \"{text}\"; it begins: {Head(body)}")
            : null;
    }

    private static string Head(string body) => body.Length <= 300 ? body : body[..300] + " …";

    private static StepFailure Failed(ServiceSpec spec, SmokeRequest smoke, string what) => new(
        FailureReason.SmokeFailed,
        $"{smoke.Method} {smoke.Path} to the candidate of {spec.Name} {what}",
        "The candidate was healthy but does not do its work. Nobody but this test has seen it; the old version is still serving.");
}
