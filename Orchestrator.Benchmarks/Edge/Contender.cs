using System.Diagnostics;
using System.Globalization;
using Orchestrator.Benchmarks.Measuring;

namespace Orchestrator.Benchmarks.Edge;

/// <summary>A server in a process of its own.</summary>
internal sealed class Contender : IAsyncDisposable
{
    private readonly Process _process;
    private readonly bool _own;

    private Contender(string name, Process process, (int Plain, int Tls) ports, bool own)
    {
        Name = name;
        Port = ports.Plain;
        TlsPort = ports.Tls;
        _process = process;
        _own = own;
    }

    public string Name { get; }

    public int Port { get; }

    /// <summary>0: it does not speak TLS.</summary>
    public int TlsPort { get; }

    /// <summary>The Host header of the requests to it; null: its address.</summary>
    public string? Host { get; init; }

    public Uri Address => new(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{Port}/"));

    public Uri AddressFor(Shape shape) => shape.Tls
        ? new(string.Create(CultureInfo.InvariantCulture, $"https://127.0.0.1:{TlsPort}{shape.Path}"))
        : new(Address, shape.Path);

    public TimeSpan Cpu => ProcessTree.CpuOf(_process.Id);

    /// <summary>This program again, as one of its servers.</summary>
    public static async Task<Contender> StartOwnAsync(string name, string kind, int backend, int stacks, BenchCertificate? certificate, CancellationToken cancellationToken)
    {
        var program = Environment.ProcessPath ?? throw new InvalidOperationException("This process has no path.");
        string[] arguments = ["serve", kind, "--backend", backend.ToString(CultureInfo.InvariantCulture), "--stacks", stacks.ToString(CultureInfo.InvariantCulture)];
        if (certificate is not null) arguments = [.. arguments, "--certificates", certificate.Directory];
        var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true })
            ?? throw new InvalidOperationException($"{program} cannot be started.");
        if (await process.StandardOutput.ReadLineAsync(cancellationToken) is not { } line || !line.StartsWith(ServeCommand.Ready, StringComparison.Ordinal))
            throw new InvalidOperationException($"{name} did not come up.");

        var ports = line[ServeCommand.Ready.Length..].Split(' ').Select(text => int.Parse(text, CultureInfo.InvariantCulture)).ToArray();
        return new Contender(name, process, (ports[0], ports[1]), own: true)
        {
            Host = kind == ServeCommand.Edge ? OwnEdge.HostOf(0) : null,
        };
    }

    /// <summary>Somebody else's proxy, which is given its port by its configuration.</summary>
    public static async Task<Contender> StartOtherAsync(string name, (int Plain, int Tls) ports, ProcessStartInfo start, CancellationToken cancellationToken)
    {
        var process = Process.Start(start) ?? throw new InvalidOperationException($"{name} cannot be started.");
        var contender = new Contender(name, process, ports, own: false);
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
        return _own ? await AskAsync(ServeCommand.Allocated, cancellationToken) : null;
    }

    /// <summary>A question to one of our own servers, see <see cref="ServeCommand"/>.</summary>
    public async Task<long> AskAsync(string question, CancellationToken cancellationToken)
    {
        await _process.StandardInput.WriteLineAsync(question.AsMemory(), cancellationToken);
        await _process.StandardInput.FlushAsync(cancellationToken);
        return long.Parse(await _process.StandardOutput.ReadLineAsync(cancellationToken) ?? throw new InvalidOperationException($"{Name} has ended."), CultureInfo.InvariantCulture);
    }

    /// <summary>What it holds now: resident memory in bytes, open files, threads.</summary>
    public (long Memory, int Files, int Threads) Holds() => ProcessTree.HoldsOf(_process);

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
