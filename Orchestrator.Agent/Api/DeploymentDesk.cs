using System.Collections.Immutable;
using System.Globalization;
using Orchestrator.Agent.Api.Contracts;
using Orchestrator.Deployments;
using Orchestrator.Journal;

namespace Orchestrator.Agent.Api;

/// <summary>Hands a request in: checks its form, submits it, writes it into the audit log, and answers.</summary>
internal sealed class DeploymentDesk(DeploymentService deployments, IJournal journal, AuditTrail audit)
{
    private const int LongestText = 200;
    private const int LongestImage = 512;

    public async Task<IResult> SubmitAsync(HttpContext context, DeploymentRequest request, ImmutableArray<FindingResponse> notes, CancellationToken cancellationToken)
    {
        var key = context.Request.Headers[IdempotencyKeyHeader.Name].ToString();
        if (Refusal(request, key) is { } refusal) return refusal;
        if (request.Kind != DeploymentKind.Apply && await journal.FindStackAsync(request.Stack, cancellationToken) is null) return Problems.NoSuchStack(request.Stack);

        // The key belongs to the one who chose it: two tokens do not meet in one.
        var admission = await deployments.SubmitAsync(request, key.Length == 0 ? null : $"{request.Origin}:{request.Stack}:{key}", cancellationToken);
        var answer = DeploymentResponses.From(admission.Deployment) with { Notes = notes, Superseded = [.. admission.Superseded.Select(id => id.Value)] };
        if (admission.Known) return TypedResults.Ok(answer);

        await audit.WriteAsync(context, $"{Words.Of(request.Kind)}: {Detail(admission.Deployment)}", request.Stack, cancellationToken);
        return TypedResults.AcceptedAtRoute(answer, "GetDeployment", new { id = answer.Id });
    }

    private static ProblemResult? Refusal(DeploymentRequest request, string key)
    {
        if (request.Version is { Length: > LongestText }) return Problems.Invalid($"version has more than {LongestText} characters");
        if (request.Commit is { Length: > LongestText }) return Problems.Invalid($"commit has more than {LongestText} characters");
        if (key.Length > LongestText) return Problems.Invalid($"{IdempotencyKeyHeader.Name} has more than {LongestText} characters");
        if (request.ToRelease is < 1) return Problems.Invalid("releases are counted from 1");

        var wrong = request.Images.FirstOrDefault(image => image.Value is null or { Length: 0 or > LongestImage } || image.Value.Any(char.IsWhiteSpace));
        return wrong.Key is null ? null : Problems.Invalid($"images.{wrong.Key} is not an image reference");
    }

    private static string Detail(Deployment deployment)
    {
        var images = string.Join(", ", deployment.Request.Images.Select(image => $"{image.Key}={image.Value}"));
        var release = deployment.Request.ToRelease is { } to ? string.Create(CultureInfo.InvariantCulture, $" to release {to}") : "";
        return $"deployment {deployment.Id}{release}{(images.Length == 0 ? "" : $": {images}")}{(deployment.Request.Force ? " (forced)" : "")}";
    }
}
