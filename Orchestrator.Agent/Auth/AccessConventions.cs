using Orchestrator.Access;

namespace Orchestrator.Agent.Auth;

/// <summary>How endpoints say who may call them.</summary>
internal static class AccessConventions
{
    /// <summary>A token of this scope that is good for the stack in the path, if there is one.</summary>
    public static T RequireScope<T>(this T endpoint, TokenScope scope)
        where T : IEndpointConventionBuilder => endpoint.WithMetadata(new ScopeRequirement(scope, Everywhere: false));

    /// <summary>A token of this scope that is good for all stacks.</summary>
    public static T RequireScopeEverywhere<T>(this T endpoint, TokenScope scope)
        where T : IEndpointConventionBuilder => endpoint.WithMetadata(new ScopeRequirement(scope, Everywhere: true));

    public static T OpenToAll<T>(this T endpoint)
        where T : IEndpointConventionBuilder => endpoint.WithMetadata(OpenAccess.Instance);
}
