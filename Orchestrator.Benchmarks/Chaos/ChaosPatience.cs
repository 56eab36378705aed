namespace Orchestrator.Benchmarks.Chaos;

/// <summary>Waits for what has to come of itself.</summary>
internal sealed class ChaosPatience(ChaosScene scene, StackLook look)
{
    private const int Answers = 3;
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan Beat = TimeSpan.FromMilliseconds(100);
    private static readonly string[] Stacks = [ChaosStacks.Main, ChaosStacks.Other];

    /// <summary>After a blow: until all that it struck is served, which ends its excuse, and every replica runs again.</summary>
    /// <returns>What is still missing after two minutes; null: nothing.</returns>
    public async Task<string?> WholeAsync(Excuse? excuse, CancellationToken cancellationToken)
    {
        var since = scene.Time.GetTimestamp();
        if (excuse is not null)
        {
            foreach (var stack in Stacks.Where(stack => excuse.Stack is null || excuse.Stack == stack))
            {
                if (!await ServedAsync(stack, since, cancellationToken)) return $"{stack} is not served again";
            }

            scene.Excuses.End(excuse);
        }

        return await UntilNothingAsync(look.MissingAsync, since, cancellationToken);
    }

    /// <summary>Until nothing goes on and nothing is left over.</summary>
    /// <returns>What is not so after two minutes; null: all is well.</returns>
    public Task<string?> SettledAsync(CancellationToken cancellationToken) => UntilNothingAsync(look.UnsettledAsync, scene.Time.GetTimestamp(), cancellationToken);

    private async Task<bool> ServedAsync(string stack, long since, CancellationToken cancellationToken)
    {
        for (var answers = 0; answers < Answers;)
        {
            if (scene.Time.GetElapsedTime(since) > Longest) return false;
            answers = await look.VersionAsync(stack, cancellationToken) is null ? 0 : answers + 1;
            if (answers == 0) await Task.Delay(Beat, scene.Time, cancellationToken);
        }

        return true;
    }

    private async Task<string?> UntilNothingAsync(Func<CancellationToken, Task<string?>> problem, long since, CancellationToken cancellationToken)
    {
        while (true)
        {
            string? left;
            try
            {
                left = await problem(cancellationToken);
            }
            catch (InvalidOperationException refused)
            {
                left = refused.Message;         // the engine knows nothing of it yet, or any more
            }

            if (left is null || scene.Time.GetElapsedTime(since) > Longest) return left;
            await Task.Delay(Beat, scene.Time, cancellationToken);
        }
    }
}
