using Orchestrator.Access;
using Orchestrator.Agent.Auth;

namespace Orchestrator.Agent.Api;

/// <summary>Writes down who has changed what.</summary>
internal sealed class AuditTrail(AuditLog log)
{
    /// <param name="what">What was done, and to what; never a secret's value.</param>
    /// <param name="stack">Null: it concerns none, or all.</param>
    public Task WriteAsync(HttpContext context, string what, string? stack, CancellationToken cancellationToken) =>
        WriteAsync(Caller.Of(context).Name, what, stack, cancellationToken);

    /// <summary>For what does not come over the API.</summary>
    public Task WriteAsync(string who, string what, string? stack, CancellationToken cancellationToken) =>
        log.AppendAsync(who, what, stack, "accepted", cancellationToken);
}
