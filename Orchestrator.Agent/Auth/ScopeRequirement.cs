using Orchestrator.Access;

namespace Orchestrator.Agent.Auth;

/// <summary>What an endpoint asks of its caller. An endpoint that says nothing asks for everything.</summary>
/// <param name="Everywhere">A token that is bound to certain stacks is not enough.</param>
internal sealed record ScopeRequirement(TokenScope Scope, bool Everywhere)
{
    public static readonly ScopeRequirement Strictest = new(TokenScope.Admin, Everywhere: true);
}

/// <summary>Marks an endpoint that needs no token.</summary>
internal sealed class OpenAccess
{
    public static readonly OpenAccess Instance = new();
}
