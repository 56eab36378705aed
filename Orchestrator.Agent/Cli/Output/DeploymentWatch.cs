using System.Globalization;
using Orchestrator.Agent.Api.Contracts;

namespace Orchestrator.Agent.Cli.Output;

/// <summary>Waits for a deployment's end and shows its steps as they go. Survives a restart of the daemon.</summary>
internal static class DeploymentWatch
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    public static async Task<int> FollowAsync(Invocation call, DeploymentResponse deployment, CancellationToken cancellationToken)
    {
        if (call.Value(Verbs.DeploymentOptions.Detach))
        {
            call.Write(deployment, ApiJson.Readable.DeploymentResponse, (text, queued) => text.WriteLine($"deployment {queued.Id} of {queued.Stack} is {queued.State}"));
            return ExitCodes.Done;
        }

        var last = await ShowAsync(call, deployment, cancellationToken);
        if (call.Json) call.WriteJson(last, ApiJson.Readable.DeploymentResponse);
        else DeploymentView.WriteEnd(call, last);
        return last.State == "succeeded" ? ExitCodes.Done : ExitCodes.Failed;
    }

    private static async Task<DeploymentResponse> ShowAsync(Invocation call, DeploymentResponse deployment, CancellationToken cancellationToken)
    {
        if (call.Json) return await WatchAsync(call, deployment, _ => { }, cancellationToken);

        call.Say($"deployment {deployment.Id} of {deployment.Stack}{(deployment.Superseded.IsEmpty ? "" : $" (in place of {string.Join(", ", deployment.Superseded)})")}");
        if (!call.Host.Terminal)
        {
            var plain = new PlainProgress(call.Host.Out);
            return await WatchAsync(call, deployment, plain.Show, cancellationToken);
        }

        return await LiveProgress.RunAsync(call.Host, show => WatchAsync(call, deployment, show, cancellationToken));
    }

    /// <summary>A cut stream is taken up again: the daemon may have been restarted, and the deployment goes on there.</summary>
    private static async Task<DeploymentResponse> WatchAsync(Invocation call, DeploymentResponse deployment, Action<DeploymentEventResponse> show, CancellationToken cancellationToken)
    {
        var path = string.Create(CultureInfo.InvariantCulture, $"deployments/{deployment.Id}/events");
        var lastWord = call.Host.Time.GetTimestamp();
        while (!Ended(deployment))
        {
            try
            {
                await foreach (var item in call.Client.EventsAsync(path, ApiJson.Default.DeploymentEventResponse, cancellationToken))
                {
                    deployment = item.Deployment;
                    lastWord = call.Host.Time.GetTimestamp();
                    show(item);
                }
            }
            catch (Exception exception) when (exception is IOException or HttpRequestException or CliFailure { Problem: null })
            {
                if (call.Host.Time.GetElapsedTime(lastWord) < Patience) continue;

                throw new CliFailure(ExitCodes.Failed, "the daemon no longer answers", exception.Message, $"the deployment may go on; look with: basmalin status {deployment.Stack}");
            }
            finally
            {
                if (!Ended(deployment)) await Task.Delay(Pause, call.Host.Time, cancellationToken);
            }
        }

        return deployment;
    }

    private static bool Ended(DeploymentResponse deployment) => deployment.State is not ("queued" or "running");
}
