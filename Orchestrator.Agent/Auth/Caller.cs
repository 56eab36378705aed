using Orchestrator.Access;

namespace Orchestrator.Agent.Auth;

/// <summary>Who asks, and what they may.</summary>
/// <param name="Name">Stands in the audit log: a token's name, or <c>socket</c>.</param>
/// <param name="Token">Null: came over the socket.</param>
internal sealed record Caller(string Name, Token? Token)
{
    public static readonly Caller Socket = new("socket", null);

    public TokenScope Scope => Token?.Scope ?? TokenScope.Admin;

    /// <summary>Not bound to one stack.</summary>
    public bool Everywhere => Token?.Stack is null;

    public bool MayTouch(string stack) => Token?.Stack is not { } only || only == stack;

    /// <summary>The caller that <see cref="AccessMiddleware"/> has let in.</summary>
    public static Caller Of(HttpContext context) =>
        context.Features.Get<Caller>() ?? throw new InvalidOperationException("This endpoint is open: nobody has been identified.");
}
