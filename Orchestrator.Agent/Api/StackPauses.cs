using System.Globalization;
using Microsoft.AspNetCore.Http.HttpResults;
using Orchestrator.Agent.Api.Contracts;
using Orchestrator.Deployments;
using Orchestrator.Scheduling;

namespace Orchestrator.Agent.Api;

/// <summary>Pauses services and resumes them, and writes down who did.</summary>
internal sealed class StackPauses(DeploymentService deployments, StackTraffic traffic, BackupWarnings warnings, AuditTrail audit)
{
    public async Task<Results<Ok<StackResponse>, ProblemResult>> PauseAsync(
        HttpContext context, string stack, string service, TimeSpan limit, CancellationToken cancellationToken)
    {
        if (traffic.Pause(stack, service, limit) is null) return await NotRoutedAsync(stack, service, cancellationToken);

        await audit.WriteAsync(context, string.Create(CultureInfo.InvariantCulture, $"pause: {service} for {limit.TotalSeconds:0.###} s"), stack, cancellationToken);
        return await StatusAsync(stack, cancellationToken);
    }

    public async Task<Results<Ok<StackResponse>, ProblemResult>> ResumeAsync(HttpContext context, string stack, string service, CancellationToken cancellationToken)
    {
        if (!traffic.IsRouted(stack, service)) return await NotRoutedAsync(stack, service, cancellationToken);

        if (traffic.Resume(stack, service)) await audit.WriteAsync(context, $"resume: {service}", stack, cancellationToken);
        return await StatusAsync(stack, cancellationToken);
    }

    private async Task<Results<Ok<StackResponse>, ProblemResult>> StatusAsync(string stack, CancellationToken cancellationToken) =>
        await deployments.StatusAsync(stack, cancellationToken) is { } status ? TypedResults.Ok(StackResponses.From(status, await warnings.OfAsync(stack, cancellationToken))) : Problems.NoSuchStack(stack);

    private async Task<Results<Ok<StackResponse>, ProblemResult>> NotRoutedAsync(string stack, string service, CancellationToken cancellationToken) =>
        await deployments.StatusAsync(stack, cancellationToken) is null ? Problems.NoSuchStack(stack) : Problems.NotRouted(stack, service);
}
