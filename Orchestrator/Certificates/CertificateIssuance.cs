using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using Orchestrator.Traffic;
using Orchestrator.Traffic.Tls;

namespace Orchestrator.Certificates;

/// <summary>
/// Keeps the hosts of routes with <c>tls: auto</c> in certificates: orders, renews, and tries again later what came to nothing. Each host has a
/// certificate, an order and a pause of its own, so that one that cannot be had harms no other.
/// </summary>
public sealed partial class CertificateIssuance : IDisposable
{
    // A validation takes seconds; an authority that is asked for patience longer than this is asked again later.
    private static readonly TimeSpan OrderDeadline = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan AskAgain = TimeSpan.FromHours(6);

    // So many orders at once are a start with many hosts; an authority's limits are about as high.
    private readonly SemaphoreSlim _places = new(8, 8);
    private readonly SemaphoreSlim _questions = new(4, 4);
    private readonly ConcurrentDictionary<string, HostRenewal> _hosts = new(StringComparer.OrdinalIgnoreCase);
    private readonly ConcurrentDictionary<string, bool> _busy = new(StringComparer.OrdinalIgnoreCase);
    private readonly TrafficRouter _router;
    private readonly EdgeTls _tls;
    private readonly IssuedFiles _files;
    private readonly AcmeClient _client;
    private readonly TimeProvider _time;
    private readonly ILogger<CertificateIssuance> _logger;
    private readonly bool _plain;

    /// <param name="dataDirectory">The daemon's own directory.</param>
    /// <exception cref="IOException">The account's key cannot be read or written.</exception>
    /// <exception cref="CryptographicException">The account's key is damaged.</exception>
    public CertificateIssuance(
        AcmeSettings settings, string dataDirectory, TrafficRouter router, EdgeOptions edge, TimeProvider time, ILogger<CertificateIssuance> logger)
    {
        _router = router;
        _tls = edge.Tls ?? throw new ArgumentException("There is no listener for HTTPS to have certificates for.", nameof(edge));
        _plain = !edge.Http.IsEmpty;
        _files = new IssuedFiles(dataDirectory);
        _client = new AcmeClient(settings, _files.AccountKey(settings.Directory), _tls.Challenges, time);
        _time = time;
        _logger = logger;
    }

    /// <summary>Hosts whose last order came to nothing, with why.</summary>
    public ImmutableSortedDictionary<string, string> Problems =>
        _hosts.Values.Where(host => host.Problem is not null)
            .ToImmutableSortedDictionary(host => host.Host, host => host.Problem ?? "", StringComparer.Ordinal);

    /// <summary>An order came to nothing: the host, why, how many in a row, and when it is tried again.</summary>
    public event Action<string, string, int, DateTimeOffset>? Failed;

    internal Task NextMove() => _router.Moved.Next();

    /// <summary>Serves what was issued before, for the hosts that are wanted now; nothing is ordered.</summary>
    public void Restore()
    {
        var wanted = Wanted();
        foreach (var gone in _hosts.Keys.Except(wanted, StringComparer.OrdinalIgnoreCase))
        {
            // Its file stays: a stack that comes back needs no new order.
            if (_hosts.TryRemove(gone, out _)) _tls.Certificates.RemoveIssued(gone);
        }

        foreach (var host in wanted) _hosts.GetOrAdd(host, Load);
    }

    /// <summary>Orders what is missing and renews what is due. Hosts that another run is at are left to it.</summary>
    public Task RunAsync(CancellationToken cancellationToken)
    {
        Restore();
        return Task.WhenAll(_hosts.Values.Select(host => KeepAsync(host, cancellationToken)));
    }

    public void Dispose()
    {
        _client.Dispose();
        _places.Dispose();
        _questions.Dispose();
    }

    private HashSet<string> Wanted() =>
    [
        .. from routes in _router.Published
           from route in routes.Routes
           where route is { Tls.Automatic: true, Host: { } host } && !host.Contains('*', StringComparison.Ordinal)
           select route.Host,
    ];

    private HostRenewal Load(string host)
    {
        var renewal = new HostRenewal(host);
        try
        {
            renewal.Issued = _files.Load(host);
            if (renewal.Issued is not null) _tls.Certificates.SetIssued(host, renewal.Issued);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            LogUnreadable(host, exception.Message);
        }

        return renewal;
    }

    private async Task KeepAsync(HostRenewal host, CancellationToken cancellationToken)
    {
        if (!_busy.TryAdd(host.Host, true)) return;

        try
        {
            if (host.ShouldAsk(_time.GetUtcNow())) await InTurnAsync(_questions, () => AskAsync(host, cancellationToken), cancellationToken);
            if (!host.IsDue(Served(host.Host), _time.GetUtcNow())) return;

            await InTurnAsync(_places, () => OrderAsync(host, cancellationToken), cancellationToken);
        }
        finally
        {
            _busy.TryRemove(host.Host, out _);
        }
    }

    private static async Task InTurnAsync(SemaphoreSlim turns, Func<Task> act, CancellationToken cancellationToken)
    {
        await turns.WaitAsync(cancellationToken);
        try
        {
            await act();
        }
        finally
        {
            turns.Release();
        }
    }

    // A file for the very name counts as well; a wildcard's does not, for its owner has asked for one of its own.
    private EdgeCertificate? Served(string host) => _tls.Certificates.ByName.GetValueOrDefault(host);

    private async Task OrderAsync(HostRenewal host, CancellationToken cancellationToken)
    {
        // What failed one way is tried the other way next: a port may be closed by somebody else.
        var kind = _plain && host.Failures % 2 == 0 ? ChallengeKind.Http : ChallengeKind.TlsAlpn;
        using var deadline = new CancellationTokenSource(OrderDeadline, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellationToken);
        try
        {
            var replaces = host.Issued is { } before ? RenewalTiming.IdOf(before.Leaf) : null;
            var (chain, key) = await _client.IssueAsync(host.Host, kind, replaces, either.Token);
            var certificate = _files.Save(host.Host, chain, key);
            host.Succeeded(certificate);

            // Its route may have gone meanwhile; then nobody would take it out again.
            if (_hosts.ContainsKey(host.Host)) _tls.Certificates.SetIssued(host.Host, certificate);
            LogIssued(host.Host, certificate.NotAfter);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            throw;
        }
        catch (Exception exception) when (IsExpected(exception))
        {
            var problem = exception is OperationCanceledException ? "the authority did not come to an end in time" : exception.Message;
            host.Failed(problem, (exception as AcmeException)?.RetryAfter, _time.GetUtcNow());
            LogFailed(host.Host, kind.Word(), problem, host.NotBefore);
            Failed?.Invoke(host.Host, problem, host.Failures, host.NotBefore);
        }
    }

    private async Task AskAsync(HostRenewal host, CancellationToken cancellationToken)
    {
        var now = _time.GetUtcNow();
        try
        {
            var id = host.Issued is { } issued ? RenewalTiming.IdOf(issued.Leaf) : null;
            var window = id is null ? null : await _client.RenewalAsync(id, cancellationToken);
            host.Suggested(window, AskAgain, now);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            throw;
        }
        catch (Exception exception) when (IsExpected(exception))
        {
            // It is advice: without it the certificate's own life says when.
            host.Suggested(null, AskAgain, now);
            LogNoAdvice(host.Host, exception.Message);
        }
    }

    private static bool IsExpected(Exception exception) =>
        exception is AcmeException or HttpRequestException or IOException or UnauthorizedAccessException or CryptographicException
            or OperationCanceledException;

    [LoggerMessage(EventId = 3210, Level = LogLevel.Information, Message = "A certificate for {Host} was issued, good until {Until:u}")]
    private partial void LogIssued(string host, DateTimeOffset until);

    [LoggerMessage(
        EventId = 3211, Level = LogLevel.Warning, Message = "No certificate for {Host} by {Challenge}: {Problem}; tried again at {Next:u}")]
    private partial void LogFailed(string host, string challenge, string problem, DateTimeOffset next);

    [LoggerMessage(EventId = 3212, Level = LogLevel.Debug, Message = "The authority does not say when to renew {Host}: {Problem}")]
    private partial void LogNoAdvice(string host, string problem);

    [LoggerMessage(EventId = 3213, Level = LogLevel.Error, Message = "What was issued for {Host} cannot be read, and is ordered anew: {Problem}")]
    private partial void LogUnreadable(string host, string problem);
}
