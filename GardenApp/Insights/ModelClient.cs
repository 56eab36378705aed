using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using GardenApp.Hosting;
using Polly;
using Polly.Retry;
using Polly.Timeout;

namespace GardenApp.Insights;

/// <summary>
/// Asks a model over HTTP: each attempt has its time-out, and what another attempt may cure is tried again. Remembers how the last
/// question went, which is what health shows; a probe never asks anything itself, since answers cost money.
/// </summary>
internal sealed class ModelClient : IDisposable
{
    private const int LargestAnswer = 256 * 1024;

    private readonly InsightSettings _settings;
    private readonly HttpClient _http = new() { Timeout = Timeout.InfiniteTimeSpan, MaxResponseContentBufferSize = LargestAnswer };
    private readonly ResiliencePipeline<HttpResponseMessage> _pipeline;
    private volatile string? _lastFailure;

    public ModelClient(GardenSettings settings, TimeProvider time)
    {
        _settings = settings.Insights;
        Dialect = ModelDialect.For(_settings.Provider);
        _pipeline = new ResiliencePipelineBuilder<HttpResponseMessage> { TimeProvider = time }
            .AddRetry(new RetryStrategyOptions<HttpResponseMessage>
            {
                MaxRetryAttempts = 2,
                BackoffType = DelayBackoffType.Exponential,
                UseJitter = true,
                Delay = TimeSpan.FromMilliseconds(200),
                ShouldHandle = new PredicateBuilder<HttpResponseMessage>()
                    .Handle<HttpRequestException>().Handle<TimeoutRejectedException>()
                    .HandleResult(response => response.StatusCode is HttpStatusCode.TooManyRequests or HttpStatusCode.RequestTimeout or >= HttpStatusCode.InternalServerError),
            })
            .AddTimeout(_settings.Timeout)
            .Build();
    }

    /// <summary>Null when no model is configured.</summary>
    internal ModelDialect? Dialect { get; }

    internal string? LastFailure => _lastFailure;

    internal async Task<ModelAnswer> AskAsync(string question, CancellationToken cancellationToken)
    {
        if (Dialect is null || _settings.Address is not { } address) return new ModelAnswer(null, "no model is configured");
        var answer = await SendAsync(Dialect, address, question, cancellationToken);
        _lastFailure = answer.Failure;
        return answer;
    }

    public void Dispose() => _http.Dispose();

    private async Task<ModelAnswer> SendAsync(ModelDialect dialect, Uri address, string question, CancellationToken cancellationToken)
    {
        try
        {
            using var response = await _pipeline.ExecuteAsync(async token =>
            {
                // Made anew for each attempt: a request message can be sent once.
                using var request = dialect.Ask(address, _settings.Model, _settings.ApiKey, question);
                return await _http.SendAsync(request, token);
            }, cancellationToken);
            if (!response.IsSuccessStatusCode) return new ModelAnswer(null, $"{dialect.Name} answered {(int)response.StatusCode}");

            var body = await JsonNode.ParseAsync(await response.Content.ReadAsStreamAsync(cancellationToken), cancellationToken: cancellationToken);
            return body is not null && dialect.TextOf(body) is { Length: > 0 } text
                ? new ModelAnswer(text.Length > 2000 ? text[..2000] : text, null)
                : new ModelAnswer(null, $"{dialect.Name} answered without a text");
        }
        catch (TimeoutRejectedException)
        {
            return new ModelAnswer(null, $"{dialect.Name} gave no answer within {_settings.Timeout.TotalSeconds:0.#} s");
        }
        catch (Exception exception) when (exception is HttpRequestException or JsonException or InvalidOperationException or ArgumentOutOfRangeException)
        {
            // The last two are an answer of another shape: an array where an object belongs, or an empty one.
            return new ModelAnswer(null, $"{dialect.Name}: {exception.Message}");
        }
    }
}
