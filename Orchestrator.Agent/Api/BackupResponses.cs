using System.Collections.Immutable;
using Orchestrator.Agent.Api.Contracts;
using Orchestrator.Backups;
using Orchestrator.Backups.Keeping;
using Orchestrator.Backups.Schedules;
using Orchestrator.Backups.Sets;
using Orchestrator.Deployments;
using Orchestrator.Restores;

namespace Orchestrator.Agent.Api;

/// <summary>Sets, drills and restores in the words of the contract.</summary>
internal static class BackupResponses
{
    public static BackupResponse From(BackupSetRecord set) => new()
    {
        Id = set.Name,
        Stack = set.Stack,
        Set = set.Id.Value,
        Number = set.Sequence,
        State = Words.Of(set.State),
        Reason = set.Reason,
        StartedAt = set.StartedAt,
        EndedAt = set.EndedAt,
        TakenAt = set.Manifest?.CreatedAt,
        Release = set.Manifest?.Release,
        Bytes = set.Bytes,
        Stores = set.Zones,
        ProvedAt = set.ProvedAt,
        Dump = set.IsDump,
        Parts = [.. (set.Manifest?.Parts ?? []).Select(From)],
        Problem = set.Problem,
        Hint = set.Hint,
    };

    public static OperationResponse From(BackupOperation operation) => new()
    {
        Id = operation.Id,
        Stack = operation.Stack,
        Kind = operation.Kind,
        State = Words.Of(operation.State),
        StartedAt = operation.StartedAt,
        EndedAt = operation.EndedAt,
        What = operation.What,
        Bytes = operation.Bytes,
        Of = operation.Of,
        Rate = Math.Round(operation.Rate),
        LeftSeconds = operation.Left is { } left ? Math.Round(left.TotalSeconds, 1) : null,
        Result = operation.Result,
        Problem = operation.Problem,
        Hint = operation.Hint,
    };

    public static RetentionResponse From(string stack, RetentionPlan plan) => new(
        stack, [.. plan.Decisions.Select(decision => new RetainedSetResponse(decision.Set.Value, decision.Kept, decision.Reasons))], plan.StreamKeys.Length, plan.Blocked);

    public static StreamResponse From(StreamState stream) => new(
        stream.Service, stream.Kind, stream.Streaming, Math.Round(stream.LocalLag.TotalSeconds, 1), stream.LocalBytes, Math.Round(stream.OffHostLag.TotalSeconds, 1), stream.OffHostBytes,
        [.. stream.Findings.Select(finding => $"{finding.What}. {finding.Hint}")]);

    public static ScheduledRunResponse From(ScheduledRun run) => new(Words.Of(run.Work), run.DueAt, Words.Of(run.Outcome), run.Detail, run.At);

    public static DrillResponse From(DrillRecord drill) => new()
    {
        Number = drill.Number,
        Stack = drill.Stack,
        Set = drill.Set,
        StartedAt = drill.StartedAt,
        EndedAt = drill.EndedAt,
        Passed = drill.Passed,
        Checks = [.. drill.Checks.Select(From)],
        Phases = drill.Phases,
        Problem = drill.Problem,
        Hint = drill.Hint,
    };

    public static RestoreResponse From(RestoreRecord restore) => new()
    {
        Id = restore.Id,
        Stack = restore.Stack,
        State = Words.Of(restore.State),
        Set = restore.Set,
        Point = restore.Point,
        Origin = restore.Origin,
        CreatedAt = restore.CreatedAt,
        EndedAt = restore.EndedAt,
        Deployment = restore.Deployment,
        Release = restore.Release,
        KeptUntil = restore.KeptUntil,
        Checks = [.. restore.Checks.Select(From)],
        Phases = restore.Phases,
        Problem = restore.Problem,
        Hint = restore.Hint,
    };

    public static RestorePreviewResponse From(RestorePreview preview) => new()
    {
        Stack = preview.Stack,
        Set = preview.Set,
        Point = preview.Point,
        TakenAt = preview.TakenAt,
        Proved = preview.Proved,
        Services = [.. preview.Services.Select(From)],
        Volumes = preview.Volumes,
        Release = preview.Release,
        Bytes = preview.Bytes,
        ForecastSeconds = preview.ForecastSeconds,
        Notes = preview.Notes,
    };

    private static ServicePreviewResponse From(ServicePreview service) => new(
        service.Service, service.Kind, [.. service.Changes.Select(change => new ContentChangeResponse(change.What, change.Now, change.Then, change.Difference))], service.Problem);

    private static CheckResponse From(DrillCheck check) => new(check.Service, check.What, check.Passed, check.Detail);

    private static BackupPartResponse From(BackupPart part) => new(
        part.Service,
        part.Kind,
        part.Objects.Sum(item => item.PlainBytes),
        part.Objects.Length,
        part.Fingerprints.Where(print => FingerprintDifference.CountIn(print.Value) is not null).ToImmutableSortedDictionary(print => print.Key, print => FingerprintDifference.CountIn(print.Value) ?? 0),
        part.Facts);
}
