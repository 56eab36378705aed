namespace Orchestrator.Tests.Load;

/// <summary>A user who reads an event stream all the time and, as event sources do, opens it again when it ends.</summary>
internal sealed class LongEventStream(LoadOptions options, LoadTally tally, HttpMessageInvoker client, TimeProvider time)
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(250);

    public async Task RunAsync(string path, CancellationToken stopping)
    {
        while (!stopping.IsCancellationRequested)
        {
            var opened = false;
            try
            {
                using var request = LoadRequest.Create(options, HttpMethod.Get, path);
                using var answer = await client.SendAsync(request, stopping);
                answer.EnsureSuccessStatusCode();
                opened = true;
                using var reader = new StreamReader(await answer.Content.ReadAsStreamAsync(stopping));
                while (await reader.ReadLineAsync(stopping) is { } line)
                {
                    if (line.StartsWith("data:", StringComparison.Ordinal))
                        tally.Event();
                }

                tally.StreamEnded();
            }
            catch (OperationCanceledException) when (stopping.IsCancellationRequested)
            {
                return;
            }
            catch (Exception exception) when (exception is HttpRequestException or IOException)
            {
                if (opened)
                    tally.StreamCut();
                else
                    tally.Failed("event stream", LoadRequest.Chain(exception));
            }

            await Task.Delay(Pause, time, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }
}
