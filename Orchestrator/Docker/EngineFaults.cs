using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Docker.DotNet;
using Orchestrator.Resilience;

namespace Orchestrator.Docker;

/// <summary>What the engine's answers and the socket's failures mean.</summary>
public static class EngineFaults
{
    /// <summary>The engine's answers in prose, most telling first. It has no codes: the words are all that there is, and they have not changed in ten years.</summary>
    private static readonly (string Words, EngineFault Fault)[] Prose =
    [
        ("no space left on device", EngineFault.NoSpace),
        ("non-overlapping IPv4 address pool", EngineFault.NoAddresses),
        ("predefined address pools have been fully subnetted", EngineFault.NoAddresses),
        ("port is already allocated", EngineFault.PortInUse),
        ("address already in use", EngineFault.PortInUse),
        ("ports are not available", EngineFault.PortInUse),
        ("no such image", EngineFault.ImageNotFound),
        ("has active endpoints", EngineFault.Conflict),
        ("is already in use by container", EngineFault.Conflict),
        ("OCI runtime", EngineFault.BadRequest),
        ("failed to create shim", EngineFault.BadRequest),
        ("failed to create task", EngineFault.BadRequest),
        ("bind source path does not exist", EngineFault.BadRequest),
    ];

    /// <summary>What a registry, or the way to it, said through the engine.</summary>
    private static readonly (string Words, EngineFault Fault, bool Transient)[] RegistryProse =
    [
        ("no space left on device", EngineFault.NoSpace, false),
        ("pull access denied", EngineFault.RegistryDenied, false),
        ("unauthorized", EngineFault.RegistryDenied, false),
        ("authentication required", EngineFault.RegistryDenied, false),
        ("no basic auth credentials", EngineFault.RegistryDenied, false),
        ("incorrect username or password", EngineFault.RegistryDenied, false),
        ("denied:", EngineFault.RegistryDenied, false),
        ("403 Forbidden", EngineFault.RegistryDenied, false),
        ("manifest unknown", EngineFault.ImageNotFound, false),
        ("name unknown", EngineFault.ImageNotFound, false),
        ("no matching manifest", EngineFault.ImageNotFound, false),
        ("does not match the specified platform", EngineFault.ImageNotFound, false),
        ("not found", EngineFault.ImageNotFound, false),
        ("invalid reference format", EngineFault.BadRequest, false),
        ("x509:", EngineFault.RegistryUnreachable, false),
        ("server gave HTTP response to HTTPS client", EngineFault.RegistryUnreachable, false),
        ("no such host", EngineFault.RegistryUnreachable, true),
        ("connection refused", EngineFault.RegistryUnreachable, true),
        ("connection reset", EngineFault.RegistryUnreachable, true),
        ("timeout", EngineFault.RegistryUnreachable, true),
        ("deadline exceeded", EngineFault.RegistryUnreachable, true),
        ("unreachable", EngineFault.RegistryUnreachable, true),
        ("no route to host", EngineFault.RegistryUnreachable, true),
        ("server misbehaving", EngineFault.RegistryUnreachable, true),
        ("toomanyrequests", EngineFault.RegistryUnreachable, true),
        ("received unexpected HTTP status: 5", EngineFault.RegistryUnreachable, true),
        ("EOF", EngineFault.RegistryUnreachable, true),
    ];

    /// <summary>What a failure means for repeating the call and for the circuit breakers.</summary>
    public static FaultKind Classify(Exception exception) => exception switch
    {
        EngineException { Fault: EngineFault.Unreachable or EngineFault.TimedOut } => FaultKind.Outage,
        EngineException { IsTransient: true } => FaultKind.Transient,
        EngineException => FaultKind.Refusal,
        HttpRequestException { StatusCode: { } status } => IsTransient(status) ? FaultKind.Transient : FaultKind.Refusal,
        HttpRequestException or SocketException or IOException or TimeoutException => FaultKind.Outage,
        _ => FaultKind.Refusal,
    };

    /// <param name="asked">What the engine was asked, e.g. <c>start container 0123456789ab</c>.</param>
    /// <param name="secrets">Values that must not be in the message even if the engine repeats them.</param>
    internal static EngineException Translate(string asked, Exception exception, IReadOnlyCollection<string> secrets) => exception switch
    {
        DockerApiException api => FromAnswer(asked, api, secrets),
        _ when Find<SocketException>(exception) is { } socket => Unreachable(asked, socket.Message, exception),
        _ when Find<TimeoutException>(exception) is { } timeout => new EngineException(EngineFault.TimedOut, $"Could not {asked}: {timeout.Message}", exception),
        HttpRequestException or IOException or OperationCanceledException => Unreachable(asked, Innermost(exception).Message, exception),
        // An empty or cut answer: the engine went away, or is none.
        JsonException or InvalidOperationException => Unreachable(asked, $"its answer could not be understood ({exception.Message})", exception),
        _ => new EngineException(EngineFault.Other, $"Could not {asked}: {exception.Message}", exception),
    };

    /// <summary>An error that came through a pull, in its stream or as its answer.</summary>
    internal static EngineException FromRegistry(string asked, string answer, IReadOnlyCollection<string> secrets)
    {
        var known = RegistryProse.FirstOrDefault(entry => answer.Contains(entry.Words, StringComparison.OrdinalIgnoreCase));
        var fault = known.Words is null ? EngineFault.Other : known.Fault;
        return new EngineException(fault, $"Could not {asked}: {Redact(answer, secrets)}", null) { IsTransient = known.Transient };
    }

    /// <summary>The engine's own words out of its JSON.</summary>
    internal static string Answer(DockerApiException exception)
    {
        var body = exception.ResponseBody?.Trim();
        if (string.IsNullOrEmpty(body)) return $"HTTP {(int)exception.StatusCode}";
        try
        {
            using var json = JsonDocument.Parse(body);
            if (json.RootElement.ValueKind == JsonValueKind.Object
                && json.RootElement.TryGetProperty("message", out var message)
                && message.ValueKind == JsonValueKind.String)
                return message.GetString() ?? body;
        }
        catch (JsonException)
        {
            // A proxy in between, or a very old engine: what it wrote is the answer.
        }
        return body.Length > 2000 ? body[..2000] : body;
    }

    private static EngineException FromAnswer(string asked, DockerApiException api, IReadOnlyCollection<string> secrets)
    {
        var answer = Answer(api);
        var fault = FaultOf(api, answer);
        var shown = Redact(answer, secrets);
        // The inner exception repeats the answer word for word: it is left out when that holds a secret.
        var inner = ReferenceEquals(shown, answer) ? api : null;
        var transient = fault == EngineFault.Other && IsTransient(api.StatusCode);
        return new EngineException(fault, $"Could not {asked}: the engine answered {(int)api.StatusCode}: {shown}", inner) { IsTransient = transient };
    }

    private static EngineFault FaultOf(DockerApiException api, string answer)
    {
        foreach (var (words, fault) in Prose)
        {
            if (answer.Contains(words, StringComparison.OrdinalIgnoreCase)) return fault;
        }

        return api switch
        {
            DockerImageNotFoundException => EngineFault.ImageNotFound,
            { StatusCode: HttpStatusCode.NotFound } => EngineFault.NotFound,
            { StatusCode: HttpStatusCode.Conflict } => EngineFault.Conflict,
            { StatusCode: HttpStatusCode.GatewayTimeout or HttpStatusCode.RequestTimeout } => EngineFault.TimedOut,
            { StatusCode: HttpStatusCode.BadGateway or HttpStatusCode.ServiceUnavailable } => EngineFault.Unreachable,
            { StatusCode: >= HttpStatusCode.BadRequest and < HttpStatusCode.InternalServerError } => EngineFault.BadRequest,
            _ => EngineFault.Other,
        };
    }

    private static EngineException Unreachable(string asked, string why, Exception inner) =>
        new(EngineFault.Unreachable, $"Could not {asked}: the container engine does not answer: {why}", inner);

    private static bool IsTransient(HttpStatusCode status) =>
        (int)status >= 500 && status != HttpStatusCode.NotImplemented || status is HttpStatusCode.TooManyRequests or HttpStatusCode.RequestTimeout;

    private static string Redact(string text, IReadOnlyCollection<string> secrets)
    {
        // Longest first: a short value may be part of a longer one. Very short ones are ports and flags, without which the message explains nothing.
        foreach (var secret in secrets.Where(secret => secret.Length > 5).OrderByDescending(secret => secret.Length))
            text = text.Replace(secret, "***", StringComparison.Ordinal);
        return text;
    }

    private static T? Find<T>(Exception exception) where T : Exception
    {
        for (var current = exception; current is not null; current = current.InnerException)
        {
            if (current is T found) return found;
        }

        return null;
    }

    private static Exception Innermost(Exception exception) => exception.InnerException is { } inner ? Innermost(inner) : exception;
}
