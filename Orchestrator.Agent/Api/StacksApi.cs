using System.Collections.Immutable;
using Microsoft.AspNetCore.Http.HttpResults;
using Orchestrator.Access;
using Orchestrator.Agent.Api.Contracts;
using Orchestrator.Agent.Auth;
using Orchestrator.Deployments;
using Orchestrator.Journal;
using Orchestrator.Scheduling;

namespace Orchestrator.Agent.Api;

/// <summary><c>/stacks</c>: what there is, and what is to become of it.</summary>
internal static class StacksApi
{
    public static void MapStacks(this RouteGroupBuilder api)
    {
        var stacks = api.MapGroup("/stacks").WithTags("Stacks");
        stacks.MapGet("/", ListAsync).RequireScope(TokenScope.Read).WithName("ListStacks").WithSummary("The stacks that the token is good for.");
        stacks.MapGet("/{stack}", GetAsync).RequireScope(TokenScope.Read).WithName("GetStack").WithSummary("A stack with its services and containers.").Problems(404);
        stacks.MapPost("/", ApplyEndpoint.ApplyAsync)
            .RequireScope(TokenScope.Admin)
            .WithName("ApplyStack")
            .WithSummary("Brings a stack to what a Compose file says.")
            .WithDescription("The file as it is (application/yaml), or with the variables it is read against (application/json). Needs the scope admin: a Compose file can mount anything of the host.")
            .Accepts<ApplyRequest>("application/json", "application/yaml")
            .Deploys()
            .Problems(400, 413, 415, 422);
        stacks.MapPost("/{stack}/plan", ApplyEndpoint.PlanAsync)
            .RequireScope(TokenScope.Read)
            .WithName("PlanStack")
            .WithSummary("What a deployment would do, without doing anything.")
            .WithDescription("With a file (application/yaml, or content in JSON) it needs the scope admin, as the file is read against the host.")
            .Accepts<PlanRequest>("application/json", "application/yaml")
            .Problems(400, 404, 409, 413, 415, 422);
        stacks.MapPost("/{stack}/deployments", DeployAsync)
            .RequireScope(TokenScope.Deploy)
            .WithName("DeployStack")
            .WithSummary("Replaces services of a stack by new images.")
            .Deploys()
            .Problems(400, 404);
        stacks.MapPost("/{stack}/rollback", RollbackAsync)
            .RequireScope(TokenScope.Deploy)
            .WithName("RollBackStack")
            .WithSummary("Brings an earlier release back.")
            .Deploys()
            .Problems(400, 404);
        stacks.MapDelete("/{stack}", RemoveAsync)
            .RequireScope(TokenScope.Admin)
            .WithName("RemoveStack")
            .WithSummary("Takes all services of a stack away.")
            .WithDescription("What is under way is let end first. Volumes, secrets and releases stay: a rollback brings everything back.")
            .Deploys()
            .Problems(400, 404);
        stacks.MapGet("/{stack}/releases", ReleasesAsync).RequireScope(TokenScope.Read).WithName("ListReleases").WithSummary("The releases of a stack, newest first.").Problems(404);
        stacks.MapPut("/{stack}/maintenance", MaintainAsync)
            .RequireScope(TokenScope.Deploy)
            .WithName("SetMaintenance")
            .WithSummary("Answers a stack's requests with a maintenance page, or no longer.")
            .Problems(400, 404);
    }

    private static async Task<Ok<StackResponse[]>> ListAsync(HttpContext context, DeploymentService deployments, BackupWarnings warnings, CancellationToken cancellationToken)
    {
        var caller = Caller.Of(context);
        var stacks = new List<StackResponse>();
        foreach (var status in (await deployments.StatusAsync(cancellationToken)).Where(stack => caller.MayTouch(stack.Stack)))
            stacks.Add(StackResponses.From(status, await warnings.OfAsync(status.Stack, cancellationToken)));
        return TypedResults.Ok(stacks.ToArray());
    }

    private static async Task<Results<Ok<StackResponse>, ProblemResult>> GetAsync(string stack, DeploymentService deployments, BackupWarnings warnings, CancellationToken cancellationToken) =>
        await deployments.StatusAsync(stack, cancellationToken) is { } status
            ? TypedResults.Ok(StackResponses.From(status, await warnings.OfAsync(stack, cancellationToken)))
            : Api.Problems.NoSuchStack(stack);

    private static async Task<IResult> DeployAsync(
        string stack,
        DeployRequest request,
        HttpContext context,
        DeploymentDesk desk,
        CancellationToken cancellationToken) =>
        await desk.SubmitAsync(
            context,
            new DeploymentRequest
            {
                Stack = stack,
                Kind = DeploymentKind.Deploy,
                Images = request.Images ?? ImmutableSortedDictionary<string, string>.Empty,
                Version = request.Version,
                Commit = request.Commit,
                Force = request.Force,
                Origin = Caller.Of(context).Name,
            },
            [],
            cancellationToken);

    private static async Task<IResult> RollbackAsync(
        string stack,
        RollbackRequest? request,
        HttpContext context,
        DeploymentDesk desk,
        CancellationToken cancellationToken) =>
        await desk.SubmitAsync(
            context,
            new DeploymentRequest
            {
                Stack = stack,
                Kind = DeploymentKind.Rollback,
                ToRelease = request?.To,
                Force = request?.Force ?? false,
                Origin = Caller.Of(context).Name,
            },
            [],
            cancellationToken);

    private static async Task<IResult> RemoveAsync(string stack, HttpContext context, DeploymentDesk desk, CancellationToken cancellationToken) =>
        await desk.SubmitAsync(context, new DeploymentRequest { Stack = stack, Kind = DeploymentKind.Remove, Origin = Caller.Of(context).Name }, [], cancellationToken);

    private static async Task<Results<Ok<ReleaseResponse[]>, ProblemResult>> ReleasesAsync(string stack, IJournal journal, CancellationToken cancellationToken)
    {
        if (await journal.FindStackAsync(stack, cancellationToken) is not { } state) return Api.Problems.NoSuchStack(stack);

        var releases = await journal.ListReleasesAsync(stack, cancellationToken);
        return TypedResults.Ok(releases.Select(release => StackResponses.From(release, state.CurrentRelease)).ToArray());
    }

    private static async Task<Results<Ok<StackResponse>, ProblemResult>> MaintainAsync(
        string stack,
        MaintenanceRequest request,
        HttpContext context,
        DeploymentService deployments,
        BackupWarnings warnings,
        AuditTrail audit,
        CancellationToken cancellationToken)
    {
        var guests = request.Allow ?? [];
        if (guests.Length > 100) return Api.Problems.Invalid("more than 100 networks are named", "name larger networks");

        var allow = ImmutableArray.CreateBuilder<string>();
        foreach (var text in guests)
        {
            if (!ClientNetwork.TryParse(text, out var network)) return Api.Problems.Invalid($"'{text}' is no address or network", $"expected {ClientNetwork.Expected}");
            allow.Add($"{network}");
        }

        if (!await deployments.SetMaintenanceAsync(stack, request.On, allow.ToImmutable(), cancellationToken)) return Api.Problems.NoSuchStack(stack);

        await audit.WriteAsync(context, request.On ? "maintenance: on" : "maintenance: off", stack, cancellationToken);
        return await GetAsync(stack, deployments, warnings, cancellationToken);
    }
}
