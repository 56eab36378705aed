using System.Threading.Channels;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;
using Prometheus;

namespace Orchestrator.Traffic.Requests;

/// <summary>
/// Writes requests down without holding any of them up: they go into a bounded queue that one loop empties; when it is full, they are counted
/// instead.
/// </summary>
internal sealed partial class AccessLog : IAsyncDisposable
{
    private const int Queue = 8192;

    private readonly AccessLogOptions _options;
    private readonly TimeProvider _time;
    private readonly Counter _dropped;
    private readonly ILogger<AccessLog> _logger;
    private readonly Task _writing;
    private readonly Channel<AccessEntry> _entries;
    private bool _failed;

    public AccessLog(AccessLogOptions options, EdgeMetrics metrics, ILoggerFactory loggers, TimeProvider time)
    {
        _options = options;
        _time = time;
        _dropped = metrics.AccessLogDropped;
        _logger = loggers.CreateLogger<AccessLog>();

        // Wait, and never waited for: TryWrite then says that it is full.
        _entries = Channel.CreateBounded<AccessEntry>(new BoundedChannelOptions(Queue) { SingleReader = true, FullMode = BoundedChannelFullMode.Wait });
        _writing = Task.Run(WriteAllAsync);
    }

    /// <summary>Said when a request has come.</summary>
    public void Begin(EdgeExchange exchange)
    {
        exchange.Trace ??= new AccessTrace(_time);
        exchange.Trace.Begin(exchange.Context.Features);
    }

    /// <summary>Said when a request has been answered.</summary>
    public void End(EdgeExchange exchange)
    {
        var context = exchange.Context;
        var status = exchange.Status != 0 ? exchange.Status : context.Response.StatusCode;
        if (status < StatusCodes.Status500InternalServerError && _options.Sample < 1 && Random.Shared.NextDouble() >= _options.Sample)
            return;
        if (!_entries.Writer.TryWrite(EntryOf(exchange, status)))
            _dropped.Inc();
    }

    /// <summary>Writes what is in the queue and ends.</summary>
    public async ValueTask DisposeAsync()
    {
        _entries.Writer.TryComplete();
        await _writing;
    }

    private AccessEntry EntryOf(EdgeExchange exchange, int status)
    {
        var (context, trace, route) = (exchange.Context, exchange.Trace, exchange.Target?.Route);
        return new AccessEntry
        {
            Time = _time.GetUtcNow(),
            Id = exchange.Client.RequestId,
            Client = exchange.Client is { AddressText: { Length: > 0 } client } ? client : context.Connection.RemoteIpAddress?.ToString() ?? string.Empty,
            Method = context.Request.Method,
            Host = context.Request.Host.Value ?? string.Empty,
            Target = context.Features.Get<IHttpRequestFeature>()?.RawTarget ?? string.Empty,
            Protocol = context.Request.Protocol,
            Status = status,
            Bytes = trace?.Body?.Bytes ?? 0,
            Took = _time.GetElapsedTime(exchange.Started),
            Upstream = trace?.UpstreamTime,
            Stack = route?.Stack,
            Service = route?.Service,
            Identity = trace?.Upstream,
            Replica = trace?.Replica?.Host,
        };
    }

    private async Task WriteAllAsync()
    {
        await using var file = new AccessFile(_options.File ?? AccessLogOptions.Stdout, _time);
        while (await _entries.Reader.WaitToReadAsync())
        {
            var batch = 0;
            while (batch < Queue && _entries.Reader.TryRead(out var entry))
            {
                file.Add(entry);
                batch++;
            }

            try
            {
                await file.FlushAsync();
                _failed = false;
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                // A full disk must not end the proxy: what was to be written is lost, and counted.
                _dropped.Inc(batch);
                if (!_failed)
                    LogNotWritten(_options.File, exception.Message);
                _failed = true;
            }
        }
    }

    [LoggerMessage(EventId = 3060, Level = LogLevel.Error, Message = "The access log {File} cannot be written: {Problem}. What is not written is counted in basmalin_edge_access_log_dropped_total")]
    private partial void LogNotWritten(string? file, string problem);
}
