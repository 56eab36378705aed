using System.Collections.Concurrent;
using System.Net.Sockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Orchestrator.Deployments;
using Yarp.ReverseProxy.Forwarder;

namespace Orchestrator.Tests.Faults;

/// <summary>Stands between the daemon and a real engine, passes everything on, and strikes at one call in the midst of one step.</summary>
internal sealed class EngineProxy : IAsyncDisposable
{
    private static readonly TimeSpan Outage = TimeSpan.FromMilliseconds(1500);
    private static readonly ForwarderRequestConfig Patient = new() { ActivityTimeout = TimeSpan.FromMinutes(30) };

    private readonly WebApplication _app;
    private readonly HttpMessageInvoker _engine;
    private readonly SecondEngine? _mortal;
    private readonly ConcurrentQueue<EngineMoment> _seen = [];
    private readonly CancellationTokenSource _closing = new();
    private readonly Lock _gate = new();
    private EngineMoment? _armed;
    private EngineBlow _blow;
    private long? _struck;
    private Task _mended = Task.CompletedTask;
    private StepKind? _step;

    private EngineProxy(WebApplication app, string path, string engine, SecondEngine? mortal)
    {
        (_app, Endpoint, _mortal) = (app, new($"unix://{path}"), mortal);
        _engine = new(new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false, ConnectCallback = (_, token) => ConnectAsync(engine, token) });
    }

    public Uri Endpoint { get; }

    /// <summary>The calls of deployments since the last <see cref="Arm"/>.</summary>
    public IReadOnlyCollection<EngineMoment> Seen => _seen;

    public bool HasStruck
    {
        get
        {
            lock (_gate) return _struck is not null;
        }
    }

    /// <summary>Completes when the engine is as it should be again.</summary>
    public Task Mended
    {
        get
        {
            lock (_gate) return _mended;
        }
    }

    /// <param name="mortal">An engine that may be killed; null: that of this host.</param>
    public static async Task<EngineProxy> StartAsync(SecondEngine? mortal)
    {
        var path = Path.Combine(Path.GetTempPath(), $"basmalin-{Guid.NewGuid():n}.sock");
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddHttpForwarder();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.ListenUnixSocket(path);
            kestrel.Limits.MaxRequestBodySize = null;
        });
        var app = builder.Build();
        var proxy = new EngineProxy(app, path, mortal?.Socket ?? "/var/run/docker.sock", mortal);
        app.Run(proxy.PassAsync);
        await app.StartAsync();
        return proxy;
    }

    /// <summary>A deployment is in this step from now on.</summary>
    public void Begins(StepKind step)
    {
        lock (_gate) _step = step;
    }

    /// <summary>Strikes at that moment, once; null: never.</summary>
    public void Arm(EngineMoment? moment, EngineBlow blow = default)
    {
        lock (_gate) (_armed, _blow, _struck, _step, _mended) = (moment, blow, null, null, Task.CompletedTask);
        _seen.Clear();
    }

    public async ValueTask DisposeAsync()
    {
        await _closing.CancelAsync();
        await Mended;
        await _app.DisposeAsync();
        _engine.Dispose();
        _closing.Dispose();
    }

    private async Task PassAsync(HttpContext context)
    {
        switch (BlowAt(context.Request))
        {
            case EngineBlow.Refuses:
                context.Response.StatusCode = StatusCodes.Status500InternalServerError;
                await context.Response.WriteAsJsonAsync(new { message = "something broke" });
                break;
            case EngineBlow.Hangs:
                using (var either = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, _closing.Token))
                    await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, either.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                break;
            case EngineBlow.DiesBefore:
                await DieAsync();
                context.Abort();
                break;
            case EngineBlow.DiesAfter:
                await DoneAsync(context);
                await DieAsync();
                context.Abort();
                break;
            case EngineBlow.LosesTheAnswer:
                await DoneAsync(context);
                context.Abort();
                break;
            default:
                var error = await _app.Services.GetRequiredService<IHttpForwarder>().SendAsync(context, "http://engine", _engine, Patient, HttpTransformer.Default, _closing.Token);
                if (error != ForwarderError.None) context.Abort();          // as an engine does that is gone
                break;
        }
    }

    /// <summary>What happens to a call; null: it passes.</summary>
    private EngineBlow? BlowAt(HttpRequest request)
    {
        var call = NameOf(request);
        lock (_gate)
        {
            if (call == "GET events" || _step is not { } step) return null;

            var moment = new EngineMoment(step, call);
            _seen.Enqueue(moment);
            if (_struck is { } since) return _blow is EngineBlow.Refuses or EngineBlow.Hangs && TimeProvider.System.GetElapsedTime(since) < Outage ? _blow : null;
            if (moment != _armed) return null;

            _struck = TimeProvider.System.GetTimestamp();
            return _blow;
        }
    }

    private async Task DieAsync()
    {
        if (_mortal is null) throw new InvalidOperationException("This engine is not to be killed.");

        await _mortal.KillAsync();
        lock (_gate) _mended = _mortal.ReturnAsync();
    }

    /// <summary>Has the engine do it, to the end, and tells nobody.</summary>
    private async Task DoneAsync(HttpContext context)
    {
        using var message = new HttpRequestMessage(new HttpMethod(context.Request.Method), $"http://engine{context.Request.Path}{context.Request.QueryString}") { Content = new StreamContent(context.Request.Body) };
        if (context.Request.ContentType is { } type) message.Content.Headers.TryAddWithoutValidation("Content-Type", type);
        using var answer = await _engine.SendAsync(message, _closing.Token);
        await answer.Content.CopyToAsync(Stream.Null, _closing.Token);
    }

    private static string NameOf(HttpRequest request)
    {
        string[] parts = [.. (request.Path.Value ?? "").Split('/', StringSplitOptions.RemoveEmptyEntries).SkipWhile(part => part.StartsWith("v1.", StringComparison.Ordinal))];
        var path = parts switch
        {
            [var only] => only,
            [var kind, "json" or "create"] => $"{kind}/{parts[1]}",
            [var kind, _] => $"{kind}/*",
            [var kind, .., var verb] => $"{kind}/*/{verb}",
            _ => "",
        };
        return $"{request.Method} {path}";
    }

    private static async ValueTask<Stream> ConnectAsync(string engine, CancellationToken cancellationToken)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(engine), cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
