using System.CommandLine;
using Orchestrator.Agent.Api.Contracts;
using Orchestrator.Agent.Cli.Output;

namespace Orchestrator.Agent.Cli.Verbs;

/// <summary><c>apply</c>, <c>plan</c> and <c>config check</c>: what begins with a Compose file.</summary>
internal static class FileVerbs
{
    private static readonly Argument<string> File = new("FILE") { Description = "A Compose file; - reads standard input." };
    private static readonly Option<string?> Name = new("--name") { Description = "The stack's name, instead of the file's name: or its directory.", HelpName = "STACK" };
    private static readonly Option<string[]> Profiles = new("--profile") { Description = "Switches a Compose profile on; may be repeated.", HelpName = "NAME" };

    public static Command Apply(CliHost host) => Invocation.Verb(
        host,
        "apply",
        "Brings a stack to what its Compose file says: starts it, or replaces what has changed.",
        command =>
        {
            command.Add(File);
            command.Add(Name);
            command.Add(Profiles);
            DeploymentOptions.AddTo(command);
        },
        ApplyAsync);

    public static Command Plan(CliHost host) => Invocation.Verb(
        host,
        "plan",
        "Shows what apply would do, as a diff, without doing anything.",
        command =>
        {
            command.Add(File);
            command.Add(Name);
            command.Add(Profiles);
        },
        PlanAsync);

    public static Command Config(CliHost host)
    {
        var config = new Command("config", "Checks files.");
        config.Add(Invocation.Verb(
            host,
            "check",
            "Reports every problem of a Compose file, each with its line. Needs no daemon.",
            command =>
            {
                command.Add(File);
                command.Add(Name);
                command.Add(Profiles);
            },
            CheckAsync));
        return config;
    }

    private static async Task<int> ApplyAsync(Invocation call, CancellationToken cancellationToken)
    {
        var file = await ComposeInput.ReadAsync(call.Host, call.Value(File), call.Value(Name), call.Value(Profiles) ?? [], cancellationToken);
        file.ThrowIfWrong();
        file.WriteNotes(call);
        using var request = DeploymentOptions.Post("stacks", call, new ApplyRequest
        {
            Content = file.Source.Content,
            Directory = file.Source.Directory,
            FileName = file.Source.FileName,
            Name = file.Stack.Name,
            Environment = file.Referenced,
            Profiles = [.. file.Source.Profiles.Order(StringComparer.Ordinal)],
            Version = call.Value(DeploymentOptions.Version),
            Commit = call.Value(DeploymentOptions.Commit),
            Force = call.Value(DeploymentOptions.Force),
        }, ApiJson.Default.ApplyRequest);
        var deployment = await call.Client.SendAsync(request, ApiJson.Default.DeploymentResponse, cancellationToken);
        return await DeploymentWatch.FollowAsync(call, deployment, cancellationToken);
    }

    private static async Task<int> PlanAsync(Invocation call, CancellationToken cancellationToken)
    {
        var file = await ComposeInput.ReadAsync(call.Host, call.Value(File), call.Value(Name), call.Value(Profiles) ?? [], cancellationToken);
        file.ThrowIfWrong();
        var plan = await call.Client.SendAsync(
            HttpMethod.Post,
            $"stacks/{Uri.EscapeDataString(file.Stack.Name)}/plan",
            new PlanRequest
            {
                Content = file.Source.Content,
                Directory = file.Source.Directory,
                FileName = file.Source.FileName,
                Environment = file.Referenced,
                Profiles = [.. file.Source.Profiles.Order(StringComparer.Ordinal)],
            },
            ApiJson.Default.PlanRequest,
            ApiJson.Default.PlanResponse,
            cancellationToken);
        file.WriteNotes(call);
        call.Write(plan, ApiJson.Readable.PlanResponse, PlanView.Write);
        return ExitCodes.Done;
    }

    private static async Task<int> CheckAsync(Invocation call, CancellationToken cancellationToken)
    {
        var file = await ComposeInput.ReadAsync(call.Host, call.Value(File), call.Value(Name), call.Value(Profiles) ?? [], cancellationToken);
        if (call.Json) call.WriteJson(new FileCheckResponse(file.Ok, file.Ok ? file.Stack.Name : null, file.Findings), ApiJson.Readable.FileCheckResponse);
        else file.WriteFindings(call);
        return file.Ok ? ExitCodes.Done : ExitCodes.Usage;
    }
}
