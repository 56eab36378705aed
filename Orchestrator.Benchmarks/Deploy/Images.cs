using Orchestrator.Benchmarks.Measuring;

namespace Orchestrator.Benchmarks.Deploy;

/// <summary>The images of the first user, from the registry on loopback.</summary>
internal static class Images
{
    private const string Registry = "localhost:5000";

    public static string Garden(string version) => $"{Registry}/basmalin/garden:{version}";

    /// <summary>Starts the engine and the registry, and builds the images, where any of it is missing.</summary>
    public static async Task EnsureAsync(CancellationToken cancellationToken)
    {
        using var client = new HttpClient { Timeout = TimeSpan.FromSeconds(5) };
        if (await HasAsync(client, "1.0.0", cancellationToken) && await HasAsync(client, "2.0.0", cancellationToken))
            return;

        Progress.Say("preparing the engine, the registry and the images: docker/prepare.sh, a few minutes the first time");
        await ExternalProgram.RunAsync(Path.Combine(Repository, "docker", "prepare.sh"), [], cancellationToken);
    }

    /// <summary>The directory of this project's sources.</summary>
    /// <exception cref="InvalidOperationException">The program was copied away from it.</exception>
    public static string Repository
    {
        get
        {
            for (var directory = new DirectoryInfo(AppContext.BaseDirectory); directory is not null; directory = directory.Parent)
            {
                if (File.Exists(Path.Combine(directory.FullName, "BasMalin.sln")))
                    return directory.FullName;
            }

            throw new InvalidOperationException("BasMalin.sln is in none of the directories above this program.");
        }
    }

    private static async Task<bool> HasAsync(HttpClient client, string version, CancellationToken cancellationToken)
    {
        try
        {
            using var answer = await client.GetAsync(new Uri($"http://{Registry}/v2/basmalin/garden/manifests/{version}"), cancellationToken);
            return answer.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }
}
