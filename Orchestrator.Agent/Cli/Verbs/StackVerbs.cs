using System.CommandLine;
using System.Globalization;
using Orchestrator.Agent.Api.Contracts;
using Orchestrator.Agent.Cli.Output;

namespace Orchestrator.Agent.Cli.Verbs;

/// <summary><c>deploy</c>, <c>rollback</c>, <c>remove</c>, <c>cancel</c> and <c>maintenance</c>: what changes a stack that is there.</summary>
internal static class StackVerbs
{
    private static readonly Argument<string> Stack = new("STACK") { Description = "The stack's name." };
    private static readonly Option<string[]> Images = new("--image") { Description = "A service and its new image; may be repeated.", HelpName = "SERVICE=REFERENCE" };
    private static readonly Option<int?> To = new("--to") { Description = "The release; left out: the one before the current.", HelpName = "RELEASE" };
    private static readonly Option<bool> WithData = new("--with-data") { Description = "The data as it was before the last deployment, too. Shows what would be lost first." };
    private static readonly Option<bool> DryRun = new("--dry-run") { Description = "Only show what would be done." };
    private static readonly Argument<long> Id = new("ID") { Description = "The deployment's number." };
    private static readonly Argument<string> OnOff = new Argument<string>("on|off") { Description = "on: requests are answered with the maintenance page." }.AcceptOnlyFromAmong("on", "off");

    private static readonly Option<string[]> Allow = new("--allow") { Description = "A client that gets through all the same; may be repeated.", HelpName = "ADDRESS|NETWORK" };

    public static Command Deploy(CliHost host) => Invocation.Verb(
        host,
        "deploy",
        "Replaces services of a stack by new images; without --image the current ones again, their tags resolved anew.",
        command =>
        {
            command.Add(Stack);
            command.Add(Images);
            DeploymentOptions.AddTo(command);
        },
        DeployAsync);

    public static Command Rollback(CliHost host) => Invocation.Verb(
        host,
        "rollback",
        "Brings an earlier release back: in milliseconds while its containers are still running.",
        command =>
        {
            command.Add(Stack);
            command.Add(To);
            command.Add(WithData);
            command.Add(RestoreVerb.Yes);
            command.Add(DryRun);
            command.Add(DeploymentOptions.Force);
            command.Add(DeploymentOptions.Key);
            command.Add(DeploymentOptions.Detach);
        },
        RollbackAsync);

    public static Command Remove(CliHost host) => Invocation.Verb(
        host,
        "remove",
        "Takes all services of a stack away; its volumes and releases stay, and a rollback brings it back.",
        command =>
        {
            command.Add(Stack);
            command.Add(DeploymentOptions.Key);
            command.Add(DeploymentOptions.Detach);
        },
        async (call, cancellationToken) =>
        {
            using var request = DeploymentOptions.Delete($"stacks/{Uri.EscapeDataString(call.Value(Stack))}", call);
            var deployment = await call.Client.SendAsync(request, ApiJson.Default.DeploymentResponse, cancellationToken);
            return await DeploymentWatch.FollowAsync(call, deployment, cancellationToken);
        });

    public static Command Cancel(CliHost host) => Invocation.Verb(
        host,
        "cancel",
        "Cancels a deployment that has not been committed; what it did is undone.",
        command => command.Add(Id),
        async (call, cancellationToken) =>
        {
            var path = string.Create(CultureInfo.InvariantCulture, $"deployments/{call.Value(Id)}/cancel");
            var deployment = await call.Client.SendAsync(new HttpRequestMessage(HttpMethod.Post, path), ApiJson.Default.DeploymentResponse, cancellationToken);
            call.Write(deployment, ApiJson.Readable.DeploymentResponse, (text, found) => text.WriteLine($"deployment {found.Id} of {found.Stack} is being cancelled"));
            return ExitCodes.Done;
        });

    public static Command Maintenance(CliHost host) => Invocation.Verb(
        host,
        "maintenance",
        "Answers a stack's requests with a maintenance page, or no longer.",
        command =>
        {
            command.Add(Stack);
            command.Add(OnOff);
            command.Add(Allow);
        },
        async (call, cancellationToken) =>
        {
            var on = call.Value(OnOff) == "on";
            var stack = await call.Client.SendAsync(
                HttpMethod.Put,
                $"stacks/{Uri.EscapeDataString(call.Value(Stack))}/maintenance",
                new MaintenanceRequest(on) { Allow = [.. call.Value(Allow) ?? []] },
                ApiJson.Default.MaintenanceRequest,
                ApiJson.Default.StackResponse,
                cancellationToken);
            call.Write(stack, ApiJson.Readable.StackResponse, (text, found) => text.WriteLine($"{found.Stack}: maintenance is {(found.Maintenance ? "on" : "off")}"));
            return ExitCodes.Done;
        });

    private static async Task<int> DeployAsync(Invocation call, CancellationToken cancellationToken)
    {
        var body = new DeployRequest
        {
            Images = ServiceImage.Parse(call.Value(Images) ?? []),
            Version = call.Value(DeploymentOptions.Version),
            Commit = call.Value(DeploymentOptions.Commit),
            Force = call.Value(DeploymentOptions.Force),
        };
        using var request = DeploymentOptions.Post($"stacks/{Uri.EscapeDataString(call.Value(Stack))}/deployments", call, body, ApiJson.Default.DeployRequest);
        var deployment = await call.Client.SendAsync(request, ApiJson.Default.DeploymentResponse, cancellationToken);
        return await DeploymentWatch.FollowAsync(call, deployment, cancellationToken);
    }

    private static async Task<int> RollbackAsync(Invocation call, CancellationToken cancellationToken)
    {
        var stack = Uri.EscapeDataString(call.Value(Stack));
        var to = call.Value(To);
        var dryRun = call.Value(DryRun);
        if (call.Value(WithData))
        {
            return to is null
                ? await RestoreVerb.RollBackAsync(call, call.Value(Stack), dryRun, cancellationToken)
                : throw new CliFailure(ExitCodes.Usage, "--with-data goes back one deployment, not to any release", null, "leave --to out, or restore a set: basmalin restore STACK --to MOMENT");
        }

        if (dryRun || !call.Json)
        {
            var plan = await call.Client.SendAsync(
                HttpMethod.Post,
                $"stacks/{stack}/plan",
                new PlanRequest { Rollback = true, To = to },
                ApiJson.Default.PlanRequest,
                ApiJson.Default.PlanResponse,
                cancellationToken);
            call.Write(plan, ApiJson.Readable.PlanResponse, PlanView.Write);
        }

        if (dryRun) return ExitCodes.Done;

        var body = new RollbackRequest { To = to, Force = call.Value(DeploymentOptions.Force) };
        using var request = DeploymentOptions.Post($"stacks/{stack}/rollback", call, body, ApiJson.Default.RollbackRequest);
        var deployment = await call.Client.SendAsync(request, ApiJson.Default.DeploymentResponse, cancellationToken);
        return await DeploymentWatch.FollowAsync(call, deployment, cancellationToken);
    }
}
