using System.Collections.Immutable;
using System.Runtime.InteropServices;
using Microsoft.AspNetCore.Http.HttpResults;
using Orchestrator.Access;
using Orchestrator.Agent.Api.Contracts;
using Orchestrator.Agent.Auth;
using Orchestrator.Agent.Cli;
using Orchestrator.Agent.Hosting;
using Orchestrator.Agent.Hosting.Settings;
using Orchestrator.Deployments;
using Orchestrator.Docker;

namespace Orchestrator.Agent.Api;

/// <summary><c>/version</c>, <c>/doctor</c> and <c>/log-levels</c>: the daemon about itself.</summary>
internal static class DaemonApi
{
    public static void MapDaemon(this RouteGroupBuilder api)
    {
        var daemon = api.MapGroup("").WithTags("Daemon");
        daemon.MapGet("/version", VersionAsync).RequireScope(TokenScope.Read).WithName("GetVersion").WithSummary("Which daemon this is.");
        daemon.MapGet("/doctor", async (Doctor doctor, CancellationToken cancellationToken) => TypedResults.Ok(await doctor.ExamineAsync(cancellationToken)))
            .RequireScopeEverywhere(TokenScope.Read)
            .WithName("GetDoctor")
            .WithSummary("What the daemon finds when it looks at itself and its surroundings.");
        daemon.MapPost("/doctor/repair", RepairAsync)
            .RequireScopeEverywhere(TokenScope.Admin)
            .WithName("RepairJournal")
            .WithSummary("Makes a damaged journal whole again, from its newest good copy, what can be read of it, and what runs. A dry run unless it is told otherwise.")
            .Problems(400, 503);
        daemon.MapGet("/log-levels", (DaemonLog log) => TypedResults.Ok(Levels(log))).RequireScopeEverywhere(TokenScope.Admin).WithName("GetLogLevels").WithSummary("What is written down now.");
        daemon.MapPut("/log-levels", SetLevelsAsync)
            .RequireScopeEverywhere(TokenScope.Admin)
            .WithName("SetLogLevels")
            .WithSummary("Changes what is written down, until the next start.")
            .Problems(400);
    }

    private static async Task<Ok<VersionResponse>> VersionAsync(IContainerEngine engine, DaemonState state, CancellationToken cancellationToken)
    {
        EngineInfo? info = null;
        try
        {
            info = await engine.InfoAsync(cancellationToken);
        }
        catch (EngineException exception) when (exception.Fault is EngineFault.Unreachable or EngineFault.TimedOut)
        {
            // Said by its absence: the version is asked for most when something is wrong.
        }

        return TypedResults.Ok(new VersionResponse(Build.Version, RuntimeInformation.FrameworkDescription, info?.Version, info?.ApiVersion, state.StartedAt));
    }

    private static async Task<Ok<RepairResponse>> RepairAsync(
        RepairRequest request, HttpContext context, JournalRepair repair, DeploymentRuntime runtime, AuditTrail audit, CancellationToken cancellationToken)
    {
        var report = await repair.RunAsync(request.DryRun, cancellationToken);
        if (report.Done)
        {
            // From what is on record now, and what runs: as at a start.
            await runtime.RestoreAsync(CancellationToken.None);
            await runtime.WakeAsync(CancellationToken.None);
            await audit.WriteAsync(context, $"doctor --repair: {report.Steps.Length} steps, {report.Lost.Length} things lost", null, CancellationToken.None);
        }

        return TypedResults.Ok(new RepairResponse(report.Needed, report.Done, report.Steps, report.Lost));
    }

    private static async Task<Results<Ok<LogLevelsResponse>, ProblemResult>> SetLevelsAsync(
        LogLevelsRequest request,
        HttpContext context,
        DaemonLog log,
        AuditTrail audit,
        CancellationToken cancellationToken)
    {
        LogLevel? level = null;
        if (request.Level is { } word && !TryParse(word, out level)) return Api.Problems.Invalid($"level: '{word}' is none of {SettingValues.LevelExpected}");

        var levels = new Dictionary<string, LogLevel?>(StringComparer.Ordinal);
        foreach (var (name, own) in request.Levels ?? ImmutableSortedDictionary<string, string?>.Empty)
        {
            LogLevel? parsed = null;
            if (own is not null && !TryParse(own, out parsed)) return Api.Problems.Invalid($"levels.{name}: '{own}' is none of {SettingValues.LevelExpected}");

            levels[name] = parsed;
        }

        log.Levels.Change(level, levels);
        await audit.WriteAsync(context, $"log-levels: {request.Level}{string.Concat(levels.Select(own => $" {own.Key}={own.Value}"))}", null, cancellationToken);
        return TypedResults.Ok(Levels(log));
    }

    private static bool TryParse(string word, out LogLevel? level)
    {
        var known = SettingValues.Level(word, out var parsed);
        level = known ? parsed : null;
        return known;
    }

    private static LogLevelsResponse Levels(DaemonLog log)
    {
        var (level, levels) = log.Levels.Now;
        return new LogLevelsResponse(Words.Of(level), ImmutableSortedDictionary.CreateRange(levels.Select(own => KeyValuePair.Create(own.Key, Words.Of(own.Value)))));
    }
}
