using Orchestrator.Access;
using Orchestrator.Agent.Auth;

namespace Orchestrator.Agent.StatusPage;

/// <summary>Who looks at the page. What they may not do is shown as such; the API refuses it all the same.</summary>
/// <param name="MayDeploy">Roll back, cancel, put into maintenance.</param>
/// <param name="Stack">The only stack that they may see; null: all.</param>
internal sealed record Visitor(string Name, bool MayDeploy, string? Stack)
{
    public static Visitor Of(Caller caller) => new(caller.Name, caller.Scope >= TokenScope.Deploy, caller.Token?.Stack);

    public bool MaySee(string stack) => Stack is null || Stack == stack;
}
