using System.Diagnostics;
using System.Globalization;
using Orchestrator.Benchmarks.Measuring;

namespace Orchestrator.Benchmarks.Edge;

/// <summary>A server in a process of its own.</summary>
internal sealed class Contender : IAsyncDisposable
{
    private readonly Process _process;
    private readonly bool _own;

    private Contender(string name, Process process, int port, bool own)
    {
        Name = name;
        Port = port;
        _process = process;
        _own = own;
    }

    public string Name { get; }

    public int Port { get; }

    /// <summary>The Host header of the requests to it; null: its address.</summary>
    public string? Host { get; init; }

    public Uri Address => new(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{Port}/"));

    public TimeSpan Cpu => ProcessTree.CpuOf(_process.Id);

    /// <summary>This program again, as one of its servers.</summary>
    public static async Task<Contender> StartOwnAsync(string name, string kind, int backend, int stacks, CancellationToken cancellationToken)
    {
        var program = Environment.ProcessPath ?? throw new InvalidOperationException("This process has no path.");
        string[] arguments = ["serve", kind, "--backend", backend.ToString(CultureInfo.InvariantCulture), "--stacks", stacks.ToString(CultureInfo.InvariantCulture)];
        var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true })
            ?? throw new InvalidOperationException($"{program} cannot be started.");
        if (await process.StandardOutput.ReadLineAsync(cancellationToken) is not { } line || !line.StartsWith(ServeCommand.Ready, StringComparison.Ordinal))
            throw new InvalidOperationException($"{name} did not come up.");

        return new Contender(name, process, int.Parse(line[ServeCommand.Ready.Length..], CultureInfo.InvariantCulture), own: true)
        {
            Host = kind == ServeCommand.Edge ? OwnEdge.HostOf(stacks / 2) : null,
        };
    }

    /// <summary>Somebody else's proxy, which is given its port by its configuration.</summary>
    public static async Task<Contender> StartOtherAsync(string name, int port, ProcessStartInfo start, CancellationToken cancellationToken)
    {
        var process = Process.Start(start) ?? throw new InvalidOperationException($"{name} cannot be started.");
        var contender = new Contender(name, process, port, own: false);
        var said = process.StandardError.ReadToEndAsync(cancellationToken);
        using var client = new HttpClient { Timeout = TimeSpan.FromSeconds(1) };
        for (var attempt = 0; !await AnswersAsync(client, contender.Address, cancellationToken); attempt++)
        {
            if (attempt == 100 || process.HasExited)
            {
                await contender.DisposeAsync();
                throw new InvalidOperationException($"{name} did not come up: {await said}");
            }

            await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System, cancellationToken);
        }

        return contender;
    }

    /// <returns>Bytes on the managed heap since its start; null for what has none.</returns>
    public async Task<long?> AllocatedAsync(CancellationToken cancellationToken)
    {
        if (!_own)
            return null;

        await _process.StandardInput.WriteLineAsync(ServeCommand.Allocated.AsMemory(), cancellationToken);
        await _process.StandardInput.FlushAsync(cancellationToken);
        return long.Parse(await _process.StandardOutput.ReadLineAsync(cancellationToken) ?? throw new InvalidOperationException($"{Name} has ended."), CultureInfo.InvariantCulture);
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
            _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync();
        _process.Dispose();
    }

    private static async Task<bool> AnswersAsync(HttpClient client, Uri address, CancellationToken cancellationToken)
    {
        try
        {
            using var answer = await client.GetAsync(address, cancellationToken);
            return answer.IsSuccessStatusCode;
        }
        catch (Exception exception) when (exception is HttpRequestException or TaskCanceledException && !cancellationToken.IsCancellationRequested)
        {
            return false;
        }
    }
}
