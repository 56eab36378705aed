using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using Orchestrator.Access;
using Orchestrator.Agent.Api.Contracts;
using Orchestrator.Agent.Auth;
using Orchestrator.Deployments;
using Orchestrator.Journal;
using Orchestrator.Stacks;

namespace Orchestrator.Agent.Api;

/// <summary>Endpoints that take a Compose file, as it is or inside of JSON.</summary>
internal static class ApplyEndpoint
{
    /// <summary>A Compose file has at most 1 MiB; in JSON its line breaks and quotes take more.</summary>
    private const int LargestBody = 4 << 20;

    public static async Task<IResult> ApplyAsync(HttpContext context, DeploymentDesk desk, GrantedFiles files, CancellationToken cancellationToken)
    {
        var (request, refusal) = await ReadAsync(context, ApiRequests.Json.ApplyRequest, FromYaml, cancellationToken);
        if (request is null) return refusal ?? Problems.Invalid("the body is empty");

        var result = ComposeReader.Read(Source(request));
        ImmutableArray<FindingResponse> findings = [.. result.Findings.Select(FindingResponses.From)];
        if (result.Stack is not { } stack) return Problems.InvalidFile(request.FileName ?? "compose.yml", [.. findings.Where(finding => finding.Severity == "error")]);

        var caller = Caller.Of(context);
        if (!caller.MayTouch(stack.Name)) return Problems.Forbidden($"the token {caller.Name} is not for the stack {stack.Name}");

        await files.KeepAsync(stack, EnvironmentOf(request), cancellationToken);
        return await desk.SubmitAsync(
            context,
            new DeploymentRequest
            {
                Stack = stack.Name,
                Kind = DeploymentKind.Apply,
                File = stack,
                Version = request.Version,
                Commit = request.Commit,
                Force = request.Force,
                Origin = caller.Name,
            },
            findings,
            cancellationToken);
    }

    public static async Task<IResult> PlanAsync(string stack, HttpContext context, DeploymentService deployments, IJournal journal, CancellationToken cancellationToken)
    {
        var (request, refusal) = await ReadAsync(context, ApiRequests.Json.PlanRequest, PlanFromYaml, cancellationToken);
        if (request is null) return refusal ?? Problems.Invalid("the body is empty");

        Stack? file = null;
        if (request.Content is { } content)
        {
            var caller = Caller.Of(context);
            if (caller.Scope < TokenScope.Admin) return Problems.Forbidden($"a file is read against the host: this needs the scope admin, and the token {caller.Name} has less");

            var apply = new ApplyRequest { Content = content, Directory = request.Directory, FileName = request.FileName, Name = stack, Environment = request.Environment, Profiles = request.Profiles };
            var result = ComposeReader.Read(Source(apply));
            if (result.Stack is null) return Problems.InvalidFile(request.FileName ?? "compose.yml", [.. result.Errors.Select(FindingResponses.From)]);

            file = result.Stack;
        }
        else if (await journal.FindStackAsync(stack, cancellationToken) is null)
        {
            return Problems.NoSuchStack(stack);
        }

        var outcome = await deployments.PlanAsync(
            new DeploymentRequest
            {
                Stack = stack,
                Kind = file is not null ? DeploymentKind.Apply : request.Rollback ? DeploymentKind.Rollback : DeploymentKind.Deploy,
                File = file,
                ToRelease = request.To,
                Images = request.Images ?? ImmutableSortedDictionary<string, string>.Empty,
                Force = request.Force,
            },
            cancellationToken);
        return outcome switch
        {
            { Plan: { } plan } => TypedResults.Ok(PlanResponses.From(plan)),
            { Failure: { } failure } => Problems.Failure(failure),
            _ => throw new InvalidOperationException("A plan outcome has neither a plan nor a failure."),
        };
    }

    private static ComposeSource Source(ApplyRequest request) => new()
    {
        FileName = request.FileName ?? "compose.yml",
        Content = request.Content,
        Directory = request.Directory ?? "/",
        StackName = request.Name,
        Environment = EnvironmentOf(request),
        Profiles = request.Profiles is { } profiles ? [.. profiles] : [],
    };

    private static ImmutableDictionary<string, string> EnvironmentOf(ApplyRequest request) =>
        request.Environment?.ToImmutableDictionary() ?? ImmutableDictionary<string, string>.Empty;

    private static async Task<(T? Request, ProblemResult? Refusal)> ReadAsync<T>(
        HttpContext context,
        System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type,
        Func<IQueryCollection, string, T> fromYaml,
        CancellationToken cancellationToken)
        where T : class
    {
        var media = context.Request.ContentType?.Split(';')[0].Trim().ToLowerInvariant();
        if (media is not ("application/json" or "application/yaml" or "application/x-yaml" or "text/yaml" or "text/x-yaml" or "text/plain"))
            return (null, Problems.UnsupportedMedia("application/yaml or application/json"));
        if (await RequestBody.ReadAsync(context, LargestBody, cancellationToken) is not { } body) return (null, Problems.TooLarge(LargestBody));

        try
        {
            var request = media == "application/json"
                ? JsonSerializer.Deserialize(body.Span, type)
                : fromYaml(context.Request.Query, new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(body.Span));
            return DirectoryOf(request) is { } directory && !Path.IsPathRooted(directory)
                ? (null, Problems.Invalid("directory must be an absolute path on the daemon's host"))
                : (request, null);
        }
        catch (JsonException exception)
        {
            return (null, Problems.Invalid(exception.Message));
        }
        catch (DecoderFallbackException)
        {
            return (null, Problems.Invalid("the file is not UTF-8 text"));
        }
    }

    private static string? DirectoryOf(object? request) => request switch
    {
        ApplyRequest apply => apply.Directory,
        PlanRequest plan => plan.Directory,
        _ => null,
    };

    private static ApplyRequest FromYaml(IQueryCollection query, string content) => new()
    {
        Content = content,
        Directory = Text(query, "directory"),
        FileName = Text(query, "file"),
        Name = Text(query, "name"),
        Version = Text(query, "version"),
        Commit = Text(query, "commit"),
        Force = Text(query, "force") == "true",
    };

    private static PlanRequest PlanFromYaml(IQueryCollection query, string content) => new()
    {
        Content = content,
        Directory = Text(query, "directory"),
        FileName = Text(query, "file"),
    };

    private static string? Text(IQueryCollection query, string name) => query[name].ToString() is { Length: > 0 } text ? text : null;
}
