using System.Collections.Immutable;
using System.Globalization;
using Orchestrator.Agent.Api.Contracts;
using Orchestrator.Deployments;

namespace Orchestrator.Agent.Api;

/// <summary>Every problem that the API answers with: what was seen, and what to do next.</summary>
internal static class Problems
{
    public static ProblemResult Unauthorized(string detail) => Make(
        StatusCodes.Status401Unauthorized,
        "unauthorized",
        "A token is needed",
        detail,
        "send 'Authorization: Bearer TOKEN'; on the daemon's machine make a token with: basmalin token create");

    public static ProblemResult Forbidden(string detail) => Make(
        StatusCodes.Status403Forbidden,
        "forbidden",
        "The token is not good for this",
        detail,
        "use a token with a larger scope: basmalin token create --scope deploy|admin [--stack STACK]");

    public static ProblemResult TooManyAttempts(TimeSpan wait) => Make(
        StatusCodes.Status429TooManyRequests,
        "tooManyAttempts",
        "Too many wrong tokens from this address",
        null,
        string.Create(CultureInfo.InvariantCulture, $"wait {Math.Ceiling(wait.TotalSeconds)} seconds"));

    public static ProblemResult NoSuchStack(string stack) => Make(
        StatusCodes.Status404NotFound,
        "noSuchStack",
        $"There is no stack {stack}",
        null,
        "see what there is with: basmalin status");

    public static ProblemResult NotRouted(string stack, string service) => Make(
        StatusCodes.Status404NotFound,
        "notRouted",
        $"{stack} has no service {service} with a route",
        null,
        $"only requests that come through the edge can be held; see: basmalin status {stack}");

    public static ProblemResult NoSuchDeployment(long id) => Make(
        StatusCodes.Status404NotFound,
        "noSuchDeployment",
        string.Create(CultureInfo.InvariantCulture, $"There is no deployment {id}"),
        null,
        "see what there was with: basmalin history STACK");

    public static ProblemResult TokenExists(string name) => Make(
        StatusCodes.Status409Conflict,
        "tokenExists",
        $"There is a token {name} already",
        null,
        "choose another name, or revoke it first: basmalin token revoke " + name);

    public static ProblemResult NoSuch(string kind, string name) => Make(StatusCodes.Status404NotFound, "notFound", $"There is no {kind} {name}", null, null);

    public static ProblemResult CannotRestore(string detail, string hint) =>
        Make(StatusCodes.Status409Conflict, "cannotRestore", "It cannot be restored", detail, hint);

    public static ProblemResult NotPrunable(string detail, string hint) =>
        Make(StatusCodes.Status409Conflict, "notPrunable", "What retention would remove is not known", detail, hint);

    public static ProblemResult CannotExport(string detail, string hint) =>
        Make(StatusCodes.Status409Conflict, "cannotExport", "It cannot be exported", detail, hint);

    public static ProblemResult KeyRefused(string detail, string hint) => Make(StatusCodes.Status409Conflict, "keyRefused", "The keys stay as they are", detail, hint);

    public static ProblemResult NoSuchPath(string path) =>
        Make(StatusCodes.Status404NotFound, "noSuchPath", $"There is nothing at {path}", null, "what there is stands in /openapi/v1.json");

    public static ProblemResult WrongMethod(string method, string allowed) =>
        Make(StatusCodes.Status405MethodNotAllowed, "wrongMethod", $"{method} is not possible here", null, $"possible: {allowed}");

    public static ProblemResult Invalid(string detail, string? hint = null) => Make(StatusCodes.Status400BadRequest, "invalidRequest", "The request cannot be understood", detail, hint);

    public static ProblemResult TooLarge(long limit) => Make(
        StatusCodes.Status413PayloadTooLarge,
        "tooLarge",
        string.Create(CultureInfo.InvariantCulture, $"The body has more than {limit} bytes"),
        null,
        null);

    public static ProblemResult UnsupportedMedia(string expected) => Make(
        StatusCodes.Status415UnsupportedMediaType,
        "unsupportedMediaType",
        $"The content type must be {expected}",
        null,
        null);

    public static ProblemResult InvalidFile(string file, ImmutableArray<FindingResponse> errors) => new(new ProblemResponse
    {
        Title = $"{file} has {errors.Length} problem{(errors.Length == 1 ? "" : "s")}",
        Status = StatusCodes.Status422UnprocessableEntity,
        Detail = string.Join('\n', errors.Select(error => $"{error.File}:{error.Line}:{error.Column}: {error.Key}: {error.Message}")),
        Reason = "invalidFile",
        Hint = "nothing was changed; correct the file and apply it again",
        Errors = errors,
    });

    /// <summary>A plan that cannot be made.</summary>
    public static ProblemResult Failure(StepFailure failure) =>
        Make(StatusCodes.Status409Conflict, Words.Of(failure.Reason), "It cannot be planned", failure.Detail, failure.Hint);

    public static ProblemResult AlreadyEnded(Deployment deployment) => Conflict(
        deployment.Id,
        "alreadyEnded",
        $"Deployment {deployment.Id} is {Words.Of(deployment.State)} already",
        $"to undo it: basmalin rollback {deployment.Request.Stack}");

    public static ProblemResult PastCommit(Deployment deployment) => Conflict(
        deployment.Id,
        "pastCommit",
        $"Deployment {deployment.Id} is being committed and can no longer be cancelled",
        $"to undo it: basmalin rollback {deployment.Request.Stack}");

    public static ProblemResult Unavailable(string title, string detail, string? hint) => Make(StatusCodes.Status503ServiceUnavailable, "unavailable", title, detail, hint);

    public static ProblemResult JournalFull(string detail) => Make(
        StatusCodes.Status503ServiceUnavailable, "journalFull", "The disk of the journal is full", detail, "traffic goes on; free space on that disk, then say it again");

    public static ProblemResult JournalDamaged(string detail) => Make(
        StatusCodes.Status503ServiceUnavailable, "journalDamaged", "The journal is damaged", detail, "traffic goes on; on the daemon's machine: basmalin doctor --repair");

    public static ProblemResult Unexpected(string trace) => Make(
        StatusCodes.Status500InternalServerError,
        "unexpected",
        "The daemon has made a mistake",
        $"trace {trace}",
        "its log says more; please report it");

    private static ProblemResult Conflict(DeploymentId deployment, string reason, string title, string hint) => new(new ProblemResponse
    {
        Title = title,
        Status = StatusCodes.Status409Conflict,
        Reason = reason,
        Hint = hint,
        Deployment = deployment.Value,
    });

    private static ProblemResult Make(int status, string reason, string title, string? detail, string? hint) =>
        new(new ProblemResponse { Title = title, Status = status, Detail = detail, Reason = reason, Hint = hint });
}
